"""A small Debian in a container with its own systemd: real units, real seccomp, real users, on this machine's processor and kernel.

`PLATEWATCH_NSPAWN=1` allows to make its root and fetch its wheels once, into the cache; nothing else ever does.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "platewatch" / "nspawn"
SUITE, PYTHON = "trixie", "3.13"
PACKAGES = "systemd,systemd-sysv,systemd-timesyncd,dbus,python3,python3-venv,openssl,procps,passwd,ca-certificates,iproute2,sudo,libnss-systemd"
SLIM = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale")]
PLATFORMS = [f"--platform=manylinux{name}_x86_64" for name in ("_2_28", "_2_27", "_2_17", "2014", "1")]
CLEAN = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root"]
GENTLE = ["nice", "-n", "15"]
CGROUPS = Path("/sys/fs/cgroup/unified")
"""Where no systemd runs on this machine, which would give each container a group of its own: two in the same one end each other's services."""
APART = 'mkdir -p "$0" && echo $$ >"$0/cgroup.procs" && exec "$@"'


def obstacle() -> str:
    """Why it cannot run here, '' where it can."""
    if os.environ.get("PLATEWATCH_NSPAWN") != "1":
        return "takes minutes; PLATEWATCH_NSPAWN=1 asks for it"
    if os.geteuid() != 0:
        return "a container with systemd in it takes root"
    missing = [name for name in ("systemd-nspawn", "nsenter", "mount") if shutil.which(name) is None]
    missing += ["mmdebstrap"] if not (CACHE / SUITE).is_dir() and shutil.which("mmdebstrap") is None else []
    return f"{', '.join(missing)} is not on this machine" if missing else ""


def cached_root() -> Path:
    """Made where it is missing: about a minute, 150 MB."""
    if not (CACHE / SUITE).is_dir():
        part = CACHE / f"{SUITE}.part"
        shutil.rmtree(part, ignore_errors=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        words = ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", f"--include={PACKAGES}", '--aptopt=APT::Install-Recommends "false"']
        subprocess.run([*GENTLE, *words, *SLIM, SUITE, str(part)], check=True)
        part.rename(CACHE / SUITE)
    return CACHE / SUITE


def cached_wheels() -> Path:
    """What `pip` takes there in place of a network; fetched where one is missing."""
    folder = CACHE / "wheels"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"], "pip", "wheel"]
    target = ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", "--abi=cp313", "--abi=abi3", "--abi=none", *PLATFORMS]
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), "--find-links", str(folder), *target]
    if subprocess.run([*GENTLE, *words, "--no-index", *wanted], capture_output=True, check=False).returncode != 0:
        subprocess.run([*GENTLE, *words, *wanted], check=True)
    return folder


def _apart() -> list[str]:
    """Words before a command that give it a group of its own; those of containers that ended go, but not one that another program is just about to fill."""
    if Path("/run/systemd/system").is_dir() or not (CGROUPS / "cgroup.procs").is_file():
        return []
    for old in CGROUPS.glob("platewatch-*"):
        owner = old.name.split("-")[1]
        with contextlib.suppress(OSError):
            if (owner == str(os.getpid()) or not Path("/proc", owner).exists()) and "populated 0" in (old / "cgroup.events").read_text():
                for folder in sorted((path for path in [old, *old.rglob("*")] if path.is_dir()), reverse=True):
                    folder.rmdir()
    return ["sh", "-c", APART, str(CGROUPS / f"platewatch-{os.getpid()}-{time.monotonic_ns()}")]


class Container:
    """Started by `with`; its changes lie in `folder` and outlive a power cut, the cached root stays as it is."""

    def __init__(self, folder: Path, binds: tuple[str, ...] = (), lower: tuple[Path, ...] = ()) -> None:
        self.folder, self.binds = folder, binds
        self.root, self.upper = folder / "root", folder / "upper"
        for path in (self.root, self.upper, folder / "work"):
            path.mkdir(parents=True, exist_ok=True)
        layers = ":".join(map(str, (*lower, cached_root())))
        self._mount = ["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={layers},upperdir={self.upper},workdir={folder / 'work'}", str(self.root)]
        self._process: subprocess.Popen[bytes] | None = None
        self.leader = 0

    def __enter__(self) -> Self:
        subprocess.run(self._mount, check=True)
        self.power_on()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut_power()
        subprocess.run(["umount", str(self.root)], check=True)

    def power_on(self) -> None:
        self.begin()
        self.wait(self._find_leader, "its systemd to begin")
        self.wait(lambda: self("systemctl", "is-system-running", check=False).strip() in ("running", "degraded"), "the start to end")

    def begin(self) -> None:
        """The switch alone; nothing is waited for."""
        words = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=pipe", "--resolv-conf=off", "--timezone=off", "-D", str(self.root)]
        with (self.folder / "console").open("ab") as console:
            self._process = subprocess.Popen(
                [*_apart(), *GENTLE, *words, *self.binds, "-b"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}, start_new_session=True,
            )  # fmt: skip

    def cut_power(self) -> None:
        """As when the plug is pulled: nothing is told of it, and nothing is written any more."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.leader or process.pid, signal.SIGKILL)  # the first process of a container takes all others with it
            process.kill()
            process.wait()
            self.wait(lambda: not Path(f"/proc/{self.leader or process.pid}").exists(), "its processes to be gone")
            self.leader = 0

    def __call__(self, *words: str, user: str = "", check: bool = True, feed: str = "", **environment: str) -> str:
        """What a program in it prints; AssertionError with all that it said where it fails."""
        inside = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--wd=/", "--", *CLEAN]
        inside += [f"{name}={value}" for name, value in environment.items()]
        inside += ["runuser", "-u", user, "--"] if user else []
        done = subprocess.run([*GENTLE, *inside, *words], input=feed, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def sh(self, line: str, **options: str) -> str:
        return self("sh", "-c", line, **options)  # type: ignore[arg-type]

    def wait(self, seen: Callable[[], object], what: str, patience_s: float = 300.0) -> None:
        """Until it is so. The limit is for what never comes; how long it takes is nobody's claim."""
        until = time.monotonic() + patience_s
        while not seen():
            if self._process is not None and self._process.poll() is not None:
                raise AssertionError(f"the container ended: {(self.folder / 'console').read_text(errors='replace')[-2000:]}")
            assert time.monotonic() < until, f"waited {patience_s:.0f} s for {what}"
            time.sleep(0.25)

    def show(self, unit: str, name: str) -> str:
        return self("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def _find_leader(self) -> bool:
        assert self._process is not None
        todo = [self._process.pid]
        while todo:
            pid = todo.pop()
            try:
                todo += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
                spaces = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("NSpid:")).split()
            except (OSError, StopIteration):
                continue
            if len(spaces) > 2 and spaces[-1] == "1" and Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                self.leader = pid
                return True
        return False
