"""A device on a real folder: releases that are small, a machine that keeps the rules of the real one, and a power that can be cut.

The cut is worse than most: besides ending the process it empties every file that nobody had waited for to be on the disk (fsync, sync).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path

from deploy.onboard import archive, firstboot, ground, kit, resume, signature, update
from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import FIRSTBOOT, RESUME, USER, Layout
from deploy.onboard.machine import Machine
from deploy.onboard.site import Site
from deploy.onboard.tarball import BLOCK, File, Release, header, release_id

CUT = 77
"""The exit code of a process whose power was cut."""
UNITS = {
    "units/platewatch.service": "[Service]\nExecStart=/opt/platewatch/current/.venv/bin/python -m edge run\n[Install]\nWantedBy=multi-user.target\n",
    "units/platewatch-web.service": "[Service]\nExecStart=/opt/platewatch/current/.venv/bin/python -m edge web\n[Install]\nWantedBy=multi-user.target\n",
    "units/journald.conf.d/platewatch.conf": "[Journal]\nSystemMaxUse=64M\n",
}
CONFIG = '[runtime]\ndirectory = "/run/platewatch"\n[store]\npath = "/var/lib/platewatch/events.sqlite"\n[models]\ndepot = "/var/lib/platewatch/bundles"\n'
TRUSTED = f"# KEY\n{signature.PublicKey(bytes(8), bytes(32)).line}\n"
"""A file of keys as it has to look; `verify` reads the first line."""
GROUPS = "root:x:0:\nvideo:x:44:\nrender:x:105:\n"


def pack(folder: Path, version: str, *, serial: int = 0, behaviour: str = "good", key: str = "KEY", units=UNITS, **changes) -> Path:
    """A signed release whose daemon behaves so; later versions have later serials."""
    serial = serial or 1_700_000_000 + 1000 * int(version.rsplit(".", 1)[-1])
    files = {f"wheels/platewatch-{version}-py3-none-any.whl": behaviour, "wheels/pip-1-py3-none-any.whl": "pip", "onboard.pyz": f"judge {version}"} | units
    return packed(folder, files, version=version, serial=serial, key=key, **changes)


def packed(folder: Path, files: dict[str, str], *, version: str, serial: int, key: str = "KEY", kind: str = "release", **changes) -> Path:
    raw = {name: text.encode() for name, text in files.items()}
    told = {"kind": kind, "machine": "aarch64", "pythons": ("3.13",), "commit": "c" * 40, "model": ""} | changes
    release = Release(
        id=release_id(version, serial, "c" * 40), version=version, serial=serial,
        files={name: File(hashlib.sha256(one).hexdigest(), len(one)) for name, one in raw.items()}, **told,
    )  # fmt: skip
    parts = [("release.json", release.text.encode()), *sorted(raw.items())]
    body = b"".join(header(name, len(one), serial) + one + bytes(-len(one) % BLOCK) for name, one in parts) + bytes(2 * BLOCK)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"platewatch-{release.id}.tar"
    path.write_bytes(body)
    sign(path, key)
    return path


def sign(path: Path, key: str) -> None:
    archive.beside(path).write_text(f"{key} {hashlib.sha256(path.read_bytes()).hexdigest()}")


def verify(path: Path, signed: Path, trusted: Path) -> str:
    """In the place of `signature.verify`, whose own tests stand elsewhere: the same rules without Ed25519."""
    if not signed.is_file():
        raise OnboardError(f"{signed}: is missing")
    key, _, digest = signed.read_text().partition(" ")
    if key not in trusted.read_text().split():
        raise OnboardError(f"{path.name}: signed with the key {key}, which this device does not trust")
    if digest != hashlib.sha256(path.read_bytes()).hexdigest():
        raise OnboardError(f"{path.name}: does not fit its signature")
    return "good"


def make_kit(boot: Path, packed: Path, *, secrets: dict[str, str] | None = None, config: str = CONFIG, trusted: str = "KEY\n") -> Path:
    """As `prepare-sd` puts it on the boot partition."""
    folder = boot / "platewatch"
    folder.mkdir(parents=True)
    shutil.copy(packed, folder / kit.RELEASE)
    shutil.copy(archive.beside(packed), folder / f"{kit.RELEASE}.minisig")
    for name, text in {kit.TRUSTED: trusted, kit.CONFIG: config, kit.PROGRAM: "judge kit", kit.SECRETS: json.dumps(secrets or {"mqtt": "hush"})}.items():
        (folder / name).write_text(text)
    made = {path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size} for path in sorted(folder.iterdir())}
    (folder / kit.ABOUT).write_text(json.dumps({"format": 1, "files": made, "made": "today"}))
    return folder


class Fake(Machine):
    """The machine of `root`, switched on by its making. Its daemon behaves as the release that runs was packed to."""

    architecture, python_version, boot_id = "aarch64", "3.13", ""

    def __init__(self, root: Path) -> None:
        self.layout, self.clock, self.boot_id = Layout(root), 10.0, os.urandom(4).hex()
        self.running: set[str] = set()
        self.pid, self.frames, self.calls = 100, 0, list[list[str]]()
        self.theirs = set[str]()
        shutil.rmtree(self.layout.run, ignore_errors=True)  # it is in memory
        for link in sorted(self.layout.units.glob("multi-user.target.wants/*")):
            self._begin(link.name)

    def run(self, words, *, user="", feed=b"", timeout_s=0.0):
        named = [str(word) for word in words]
        self.calls.append(named)
        match named:
            case [_, "-m", "venv", *_, folder]:
                (Path(folder) / "bin").mkdir(parents=True)
                (Path(folder) / "bin/python").write_text("python")
            case [_, "-I", pip, "install", *_, wheel] if pip.endswith("/pip"):
                for part in range(3):
                    (Path(named[0]).parents[1] / f"module-{part}.py").write_text("import this\n")
                (Path(named[0]).parents[1] / "installed").write_text(f"{Path(wheel).name.split('-')[1]} {Path(wheel).read_text()}")
            case [python, "-I", "-c", code] if "metadata" in code:
                return self._installed(Path(python)).split()[0] + "\n"
            case [python, "-c", code] if "doctor" in code:
                bad = "bad" if self._installed(Path(python)).endswith("wrong-golden") else "good"
                told = [
                    {"what": what, "state": bad if what == "reader" else "good", "words": "as measured"}
                    for what in ("machine", "runtime", "detector", "reader")
                ]
                return "\n".join(map(json.dumps, told))
            case [_, "-m", "edge", "config", "--check", config]:
                if "nonsense" in Path(config).read_text():
                    raise OnboardError(f"{config}: unknown key 'nonsense'")
            case [_, "-c", code] if "SCHEMA_VERSION" in code:
                return "3\n"
            case ["groupadd", *_, name]:
                self._edit("etc/group", lambda lines: [*lines, f"{name}:x:990:"])
            case ["useradd", *_, name]:
                self._edit("etc/passwd", lambda lines: [*lines, f"{name}:x:990:990::/:/usr/sbin/nologin"])
            case ["usermod", "--append", "--groups", groups, name]:
                self._edit("etc/group", lambda lines: [f"{line}{name}" if line.split(":")[0] in groups.split(",") else line for line in lines])
            case ["userdel", name]:
                self._edit("etc/passwd", lambda lines: [line for line in lines if not line.startswith(f"{name}:")])
                self._edit("etc/group", lambda lines: [line.removesuffix(name) if not line.startswith(name) else line for line in lines])
            case ["groupdel", name]:
                self._edit("etc/group", lambda lines: [line for line in lines if not line.startswith(f"{name}:")])
            case _:
                raise AssertionError(f"no such program here: {named}")
        return ""

    def systemctl(self, *words):
        self.calls.append(["systemctl", *words])

    def stop(self, *units):
        self.running -= set(units)

    def start(self, *units):
        for unit in units:
            self._begin(unit)

    def hand_over(self, unit):
        return False

    def give(self, path):
        self.theirs.add(str(path))

    def share(self, path):
        pass

    def now(self):
        return self.clock

    def utc(self):
        return "2026-11-23T00:00:00Z"

    def alive(self, pid):
        return pid == self.pid and "platewatch.service" in self.running

    def sleep(self, seconds):
        self.clock += seconds
        if "platewatch.service" not in self.running:
            return
        behaviour = self.behaviour
        self.pid += behaviour == "crashes"
        self.frames += 0 if behaviour == "no-frames" else 20
        told = {
            "v": 1, "version": self._installed(self.layout.current / ".venv/bin/python").split()[0], "pid": self.pid, "updated_at": str(self.clock),
            "state": "safe mode" if behaviour == "safe" else "watching", "camera": {"frames": self.frames},
            "bundles": {"detector": {"name": "d", "refused": ""}, "reader": {"name": "r", "refused": ""}},
        }  # fmt: skip
        self.layout.run.mkdir(parents=True, exist_ok=True)
        (self.layout.run / "status.json").write_text(json.dumps(told))

    def page(self, address, timeout_s=5.0):
        return {"ok": True} if "platewatch-web.service" in self.running and self.behaviour != "no-page" else None

    @property
    def behaviour(self) -> str:
        return self._installed(self.layout.current / ".venv/bin/python").split()[-1]

    def _installed(self, python: Path) -> str:
        return (python.parents[1] / "installed").read_text()

    def _begin(self, unit: str) -> None:
        path = self.layout.units / unit
        there = self.layout.at(os.readlink(path)) if path.is_symlink() else path
        if unit not in self.running and there.is_file():
            self.running.add(unit)
            self.pid, self.frames = self.pid + 1, 0

    def _edit(self, name, change) -> None:
        path = self.layout.at(name)
        fresh = path.with_name(path.name + "+")
        with fresh.open("w") as stream:
            stream.write("\n".join(change(path.read_text().splitlines())) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, path)


@dataclass
class Device:
    """A root, and what its owner and its power do to it."""

    root: Path

    def __post_init__(self) -> None:
        self.layout = Layout(self.root)
        self.said: list[str] = []

    @classmethod
    def bare(cls, root: Path) -> Device:
        """Pi OS before anything of ours."""
        (root / "etc/systemd/system/multi-user.target.wants").mkdir(parents=True)
        (root / "usr/local/bin").mkdir(parents=True)
        (root / "usr/local/sbin").mkdir(parents=True)
        for folder in ("opt", "var/lib", "run"):
            (root / folder).mkdir(parents=True)
        (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
        (root / "etc/group").write_text(GROUPS)
        (root / "etc/hostname").write_text("gate\n")
        return cls(root)

    @classmethod
    def started(cls, folder: Path, *updates: str, name: str = "device") -> Device:
        """Below `folder`: after the first start of 1.0.1, and the updates to these versions."""
        made = cls.bare(folder / name)
        make_kit(made.root / "boot/firmware", pack(folder / "packs", "1.0.1"))
        made.first_start()
        for version in updates:
            made.update(pack(folder / "packs", version))
        return made

    def copy(self, root: Path) -> Device:
        shutil.copytree(self.root, root, symlinks=True)
        return Device(root)

    def site(self, step=lambda name: None) -> Site:
        """Switched on anew."""
        return Site(self.layout, Fake(self.root), step, self.said.append)

    def update(self, source: Path, site: Site | None = None, **wish) -> int:
        site = site or self.site()
        update.update(site, str(source), update.Wish(**wish))
        return update.settle(site)

    def first_start(self, site: Site | None = None) -> None:
        firstboot.first_start(site or self.site(), self.root / "boot/firmware/platewatch")

    def power_on(self, step=lambda name: None) -> Site:
        """What systemd would start, in its order."""
        site = self.site(step)
        enabled = {link.name for link in self.layout.units.glob("multi-user.target.wants/*")}
        if RESUME in enabled and (self.layout.units / RESUME).is_file():
            if self.layout.judge.exists() or self.layout.opt.exists():
                resume.resume(site)
            else:
                for path in ground.LEFT.split():
                    gone = self.layout.at(path)
                    shutil.rmtree(gone, ignore_errors=True) if gone.is_dir() else gone.unlink(missing_ok=True)
        if FIRSTBOOT in enabled and (self.layout.units / FIRSTBOOT).is_file():
            self.first_start(site)
        return site

    def tree(self) -> dict[str, tuple[str, str]]:
        """All that stays, but for words that tell of the way there."""
        left_out = {self.layout.lock, self.layout.report}
        found = {}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if path in left_out or name.startswith(("run", "boot")):
                continue
            if path.is_symlink():
                found[name] = ("link", os.readlink(path))
            elif path.is_file():
                found[name] = (oct(stat.S_IMODE(path.stat().st_mode)), path.read_text(errors="replace"))
            else:
                found[name] = ("folder", oct(stat.S_IMODE(path.stat().st_mode)))
        return found


class Power:
    """A hook for `Site.step` that cuts at the n-th step; counts when it never does."""

    def __init__(self, root: Path, at: int | None = None) -> None:
        self.root, self.at, self.count, self.names = root, at, 0, list[str]()
        self.safe = {self._key(path) for path in self._files()}

    def __call__(self, name: str) -> None:
        self.count += 1
        self.names.append(name)
        if self.count == self.at:
            self.lose()
            os._exit(CUT)

    def lose(self) -> None:
        for path in self._files():
            if self._key(path) not in self.safe:
                os.truncate(path, 0)

    def note(self, file: int) -> None:
        about = os.fstat(file)
        self.safe.add((about.st_ino, about.st_mtime_ns, about.st_size))

    def note_all(self) -> None:
        self.safe |= {self._key(path) for path in self._files()}

    def _files(self):
        return [path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink()]

    def _key(self, path: Path) -> tuple[int, int, int]:
        about = path.stat()
        return about.st_ino, about.st_mtime_ns, about.st_size


def cut(root: Path, at: int, act) -> bool:
    """`act(power)` in a process of its own, cut at its n-th step; False where it ended before that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of fork beside the test runner's threads: the child touches none of them
        child = os.fork()
    if child == 0:
        code = 1
        try:
            power = Power(root, at)
            fsync = os.fsync
            os.fsync = lambda file: (fsync(file), power.note(file if isinstance(file, int) else file.fileno()))[0]  # type: ignore[assignment]
            os.sync = power.note_all
            act(power)
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, CUT), "the process failed by itself; its words stand above"
    return code == CUT


__all__ = ["CUT", "TRUSTED", "USER", "Device", "Fake", "Power", "cut", "make_kit", "pack", "packed", "sign", "signature", "verify"]
