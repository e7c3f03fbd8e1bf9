"""A fleet in one machine: Debians in containers, each with its own systemd, OpenSSH, users and sudo, and the owner's `ssh` that leads into them.

No network and no port of SSH: a ProxyCommand has the container's own systemd start `sshd -i` on its stdin and stdout, as ssh.socket would.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import nspawn
from tests.fleets import key
from tests.installed import CLIP, CONFIG, Device
from tests.nspawn import CACHE, CLEAN, GENTLE, ROOT, SUITE, Container

MORE = ("openssh-server", "libpam-systemd")
"""What a Raspberry Pi OS has and the other tests need not."""
USER, PASSWORD = "admin", "the owner's, and no other's"
RELEASES = ("first", "newer", "newest", "bad")
OFF = "ssh: connect to host {name} port 22: No route to host"
ENTER = f"""#!/bin/sh
# Its own systemd starts it: a connection that ends, ends what a connection's end ends on a device. A device that is off has no leader.
leader=$(cat {{folder}}/leader 2>/dev/null) || {{{{ echo "{OFF}" >&2; exit 1; }}}}
exec nsenter -t "$leader" -m -u -i -n -p -C --wd=/ -- {" ".join(CLEAN)} systemd-run --quiet --pipe --collect \\
    -p KillMode=process -p RuntimeDirectory=sshd -p RuntimeDirectoryPreserve=yes /usr/sbin/sshd -i
"""
TEMPLATE = CONFIG.format(clip=CLIP, port="$port").replace("[camera]\n", '[camera]\nname = "$name"\n', 1)


def obstacle() -> str:
    """Why it cannot run here, '' where it can."""
    if found := nspawn.obstacle():
        return found
    if not (CACHE / "-".join((SUITE, *MORE))).is_dir() and shutil.which("mmdebstrap") is None:
        return "mmdebstrap is not on this machine"
    return "" if shutil.which("ssh") and shutil.which("ssh-keygen") else "openssh-client is not on this machine"


def signed_releases(folder: Path) -> dict[str, Path]:
    """{name: archive}, for this machine; `bad` has a blind camera. `release.pub` beside them."""
    from deploy.emulate.releases import changed_source
    from deploy.release.minisign import make_key, sign
    from deploy.release.source import of_working_tree
    from tests.powercuts.parts import native

    folder.mkdir()
    made = {}
    make_key(folder / "release.key", folder / "release.pub")
    with of_working_tree() as source:
        for number, name in enumerate(RELEASES):
            changed = changed_source(source, number, bad=name == "bad")
            made[name] = native(changed, folder / "wheels", folder / name, lambda words: None)
            sign(made[name], folder / "release.key", f"release {name} of a test")
    return made


class Gate(Device):
    """One device of the fleet: what its owner sees in it, and its switch."""

    def __init__(self, name: str, container: Container, port: int) -> None:
        super().__init__(container, port, "")
        self.name, self.leader = name, container.folder / "leader"

    def told(self) -> dict:
        """`platewatch-deploy status --json`, asked on it."""
        return json.loads(self.container("platewatch-deploy", "status", "--json"))

    @property
    def runs(self) -> str:
        """The archive's name without its end, '' for none."""
        return self.container("readlink", "/opt/platewatch/current", check=False).strip().removeprefix("releases/")

    def shown_name(self) -> str:
        """What the page calls its camera; it belongs to its owner from then on."""
        if not self.token:
            self.post("/setup", code=self.container("cat", "/etc/platewatch/setup-code").strip(), password=PASSWORD, again=PASSWORD)
            words = ["web", "--config", "/etc/platewatch/platewatch.toml", "--new-token", "test", "--scopes", "status:read"]
            said = self.container("/usr/local/bin/platewatch", *words, user="platewatch")
            self.token = re.search(r"pw_\S+", said)[0]
        status, raw = self.ask("/api/status")
        assert status == 200, raw
        return str(json.loads(raw)["camera"])

    def busy(self, words: str) -> bool:
        """Whether the updater is at work there, with these words."""
        return self.container("pgrep", "-f", words, check=False) != ""

    def left(self) -> list[str]:
        """Everything that still has the project's name, but the journal's."""
        found = self.container.sh("find / -xdev -name '*platewatch*' -not -path '/proc/*' -not -path '/sys/*' 2>/dev/null || true").splitlines()
        return [path for path in found if not path.startswith("/var/log/journal")]

    def power(self, on: bool) -> None:
        if on:
            self.container.power_on()
            self.leader.write_text(str(self.container.leader))
        else:
            self.leader.unlink()
            self.container.cut_power()


@dataclass(frozen=True, slots=True)
class Fleet:
    """The owner's desk: devices, releases, an inventory and the configuration of ssh."""

    folder: Path
    gates: dict[str, Gate]
    releases: dict[str, Path]

    def __getitem__(self, name: str) -> Gate:
        return self.gates[name]

    @property
    def config(self) -> Path:
        return self.folder / "ssh_config"

    def id(self, name: str) -> str:
        return self.releases[name].stem.removeprefix("platewatch-")

    def words(self, command: str, *more: str | Path) -> list[str]:
        told = [command, "--inventory", self.folder / "fleet.toml", "--ssh-config", self.config, *more]
        return [*GENTLE, sys.executable, "-m", "deploy", *map(str, told)]

    def deploy(self, command: str, *more: str | Path) -> tuple[int, str]:
        """(exit code, what it said)."""
        done = subprocess.run(self.words(command, *more), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=_owner(), check=False)
        return done.returncode, done.stdout + done.stderr

    def begun(self, command: str, *more: str | Path) -> subprocess.Popen[str]:
        words = self.words(command, *more)
        return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_owner())

    def report(self, command: str, *more: str | Path) -> tuple[int, str, dict[str, dict]]:
        """(exit code, what it said, the report's row of each device)."""
        path = self.folder / "report.json"
        path.unlink(missing_ok=True)
        code, said = self.deploy(command, "--report", path, *more)
        assert path.is_file(), said
        whole = json.loads(path.read_text())
        assert whole["well"] == (code == 0)
        return code, said, {row["device"]: row for row in whole["devices"]}


def _owner() -> dict[str, str]:
    """The environment of a terminal that is none, wide enough for a table."""
    return os.environ | {"COLUMNS": "200", "NO_COLOR": "1"}


def connections(process: subprocess.Popen[str]) -> list[int]:
    """The ssh programs that a command has started."""
    children = map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
    threads = [Path(path).read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/children")]
    found = {*children, *(int(pid) for text in threads for pid in text.split())}
    return [pid for pid in found if Path(f"/proc/{pid}/comm").read_text().strip() == "ssh"]


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def a_fleet(folder: Path, names: Sequence[str], releases: dict[str, Path], asks: Sequence[str] = ()) -> Iterator[Fleet]:
    """Devices that run, in which nothing of ours is; sudo of those in `asks` wants a password."""
    user = key(folder / "login")
    with ExitStack() as stack:
        gates = {}
        for name, port in zip(names, free_ports(len(names)), strict=True):
            container = Container(folder / name, (), (nspawn.cached_root(*MORE),))
            for unit in ("ssh.service", "ssh.socket"):  # the network is this machine's: its port of SSH is not theirs
                (container.upper / "etc/systemd/system").mkdir(parents=True, exist_ok=True)
                (container.upper / "etc/systemd/system" / unit).symlink_to("/dev/null")
            (container.upper / "etc/hosts").write_text(f"127.0.0.1 localhost {name}\n")
            (container.upper / "etc/hostname").write_text(f"{name}\n")
            gates[name] = Gate(name, stack.enter_context(container), port)
            _dress(gates[name], user.with_suffix(".pub").read_text(), asks=name in asks)
        _desk(folder, gates, user, asks)
        yield Fleet(folder, gates, releases)


def _dress(gate: Gate, public: str, *, asks: bool) -> None:
    """Its owner's user, key and rights, and host keys that no other has."""
    c = gate.container
    c("useradd", "--create-home", "--shell", "/bin/bash", USER)
    c("chpasswd", feed=f"{USER}:{PASSWORD}\n")
    c.sh(f"echo '{USER} ALL=(ALL:ALL) {'' if asks else 'NOPASSWD: '}ALL' >/etc/sudoers.d/{USER} && chmod 440 /etc/sudoers.d/{USER}")
    c.sh("rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key")
    c.sh(f"umask 077; mkdir -p /home/{USER}/.ssh && cat >/home/{USER}/.ssh/authorized_keys && chown -R {USER}:{USER} /home/{USER}", feed=public)
    gate.leader.write_text(str(c.leader))


def _desk(folder: Path, gates: dict[str, Gate], user: Path, asks: Sequence[str]) -> None:
    lines, known, told = [], [], ["[defaults]", f'user = "{USER}"', "[groups.canary]"]
    for position, (name, gate) in enumerate(gates.items()):
        enter = gate.container.folder / "enter"
        enter.write_text(ENTER.format(folder=gate.container.folder, name=name))
        enter.chmod(0o755)
        lines += [f"Host {name}", f"  ProxyCommand {enter}"]
        known.append(f"{name} {' '.join(gate.container('cat', '/etc/ssh/ssh_host_ed25519_key.pub').split()[:2])}")
        told += [f"[devices.{name}]", f"vars = {{ port = {gate.address.rpartition(':')[2]} }}"]
        told += ['groups = ["canary"]'] if position == len(gates) - 1 else []
        told += [f'sudo_password = "file:{folder / "sudo"}"'] if name in asks else []
    every = (f"IdentityFile {user}", "IdentitiesOnly yes", "IdentityAgent none", f"UserKnownHostsFile {folder / 'known'}", "GlobalKnownHostsFile none")
    (folder / "ssh_config").write_text("\n".join([*lines, "Host *", *(f"  {line}" for line in every)]) + "\n")
    (folder / "known").write_text("\n".join(known) + "\n")
    (folder / "fleet.toml").write_text("\n".join(told) + "\n")
    (folder / "template.toml").write_text(TEMPLATE)
    (folder / "sudo").write_text(f"{PASSWORD}\n")
    (folder / "sudo").chmod(0o600)
