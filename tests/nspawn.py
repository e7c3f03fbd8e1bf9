"""A small Debian in a container with its own systemd: real units, real seccomp, real users, on this machine's processor and kernel.

Its root and its wheels are fetched once, into the cache. `PLATEWATCH_NSPAWN=0` wants no container at all, `=1` the tests that take long, too.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from edge.errors import PlatewatchError

ROOT = Path(__file__).parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "platewatch" / "nspawn"
SUITE, PYTHON = "trixie", "3.13"
PACKAGES = "systemd,systemd-sysv,systemd-timesyncd,dbus,python3,python3-venv,openssl,procps,passwd,ca-certificates,iproute2,sudo,libnss-systemd"
SLIM = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale")]
MACHINES = ("x86_64", "aarch64")
PLATFORMS = [f"--platform=manylinux{name}_{platform.machine()}" for name in ("_2_28", "_2_27", "_2_17", "2014", "1")]
NEEDED = ("systemd-nspawn", "nsenter", "unshare", "setpriv", "mount", "umount", "mknod")
CLEAN = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root"]
GENTLE = ["nice", "-n", "15"]
CGROUPS = Path("/sys/fs/cgroup/unified")
"""Where no systemd runs on this machine, which would give each container a group of its own: two in the same one end each other's services."""
APART = 'mkdir -p "$0" && echo $$ >"$0/cgroup.procs" && exec "$@"'
SCOPE = ["systemd-run", "--scope", "--quiet", "--collect", "--property=Delegate=yes", "--"]
"""And where one runs."""
BOUND = ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
"""Before a program that ends, with all that it began, when we end, however that comes about."""
NEW_MOUNTS = 0x00020000
FETCH_S = 600.0
LONGEST_S = 1200.0
"""For a single command in a container, on a machine that does much else."""
FETCHED_MB, ROOM_MB = 500, 1500
"""Free in the cache where nothing was fetched yet, and for what a container writes."""


class NotHere(PlatewatchError):
    """This machine has no container for us, which is no fault of what would have been tested in it."""


def obstacle() -> str:
    """Why what takes long does not run here, '' where it does."""
    return unable() if os.environ.get("PLATEWATCH_NSPAWN") == "1" else "takes minutes; PLATEWATCH_NSPAWN=1 asks for it"


def unable() -> str:
    """Why no container can run here, '' where nothing speaks against it; what cannot be fetched or mounted shows then, as NotHere."""
    if os.environ.get("PLATEWATCH_NSPAWN") == "0":
        return "PLATEWATCH_NSPAWN=0 wants no container"
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        return f"a Debian in a container takes Linux on {' or '.join(MACHINES)}"
    if os.geteuid() != 0:
        return "a container with systemd in it takes root"
    fetched = (CACHE / SUITE).is_dir()
    if missing := [name for name in (*NEEDED, *(() if fetched else ("mmdebstrap",))) if shutil.which(name) is None]:
        return f"{', '.join(missing)} is not on this machine; ./setup.sh test installs systemd-container and mmdebstrap where it may"
    home = next(folder for folder in (CACHE, *CACHE.parents) if folder.is_dir())
    for folder, wanted in ((home, 0 if fetched else FETCHED_MB), (Path(tempfile.gettempdir()), ROOM_MB)):
        if (free := shutil.disk_usage(folder).free // 1_000_000) < wanted:
            return f"{folder} has {free} MB free, and {wanted} are needed"
    return ""


@functools.cache
def own_mounts() -> None:
    """What is mounted from here on is this process's and its children's alone, and goes with them. Raises NotHere."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS) != 0:
        raise NotHere(f"mounts of its own are refused here ({os.strerror(ctypes.get_errno())})")
    _done("mounts of its own", "mount", "--make-rprivate", "/")


def _done(what: str, *words: str, limit_s: float = 60.0) -> None:
    """Raises NotHere with its last words."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        raise NotHere(f"{what}: not within {limit_s:.0f} s") from None
    if done.returncode != 0:
        raise NotHere(f"{what}: {(done.stderr or done.stdout or 'no word why').strip().splitlines()[-1]}")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two checkouts may want the cache at once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cached_root(*more: str) -> Path:
    """Made where it is missing: about a minute, 150 MB. With `more` packages it is one of its own, beside the other. Raises NotHere."""
    folder = CACHE / "-".join((SUITE, *more))
    if not folder.is_dir():
        own_mounts()
        with _alone():
            part = CACHE / f"{folder.name}.part"
            shutil.rmtree(part, ignore_errors=True)
            included = ",".join((PACKAGES, *more))
            words = ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", f"--include={included}", '--aptopt=APT::Install-Recommends "false"']
            if not folder.is_dir():
                _done("a Debian could not be fetched", *BOUND, *words, *SLIM, SUITE, str(part), limit_s=FETCH_S)
                part.rename(folder)
    return folder


def cached_wheels() -> Path:
    """What `pip` takes there in place of a network; fetched where one is missing. Raises NotHere."""
    folder = CACHE / "wheels"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"], "pip", "wheel"]
    target = ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", "--abi=cp313", "--abi=abi3", "--abi=none", *PLATFORMS]
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--retries=1", "--dest", str(folder), "--find-links", str(folder), *target]
    with _alone():
        try:
            _done("wheels are missing", *words, "--no-index", *wanted, limit_s=FETCH_S)
        except NotHere:
            _done("wheels could not be fetched", *BOUND, *words, *wanted, limit_s=FETCH_S)
    return folder


def _apart() -> list[str]:
    """Words before a command that give it a group of its own; those of containers that ended go, but not one that another program is just about to fill."""
    if Path("/run/systemd/system").is_dir():
        return SCOPE
    if not (CGROUPS / "cgroup.procs").is_file():
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
        own_mounts()
        _done("a layer over the root", *self._mount)
        try:
            self.power_on()
        except BaseException:
            self.__exit__()
            raise
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
                [*_apart(), *BOUND, *words, *self.binds, "-b"],
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
        done = subprocess.run([*inside, *words], input=feed, capture_output=True, text=True, timeout=LONGEST_S, check=False)
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
