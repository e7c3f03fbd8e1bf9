"""Where a container can run, what is said where it cannot, and that nothing of it outlives whoever began it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import nspawn

MAKE = """#!/bin/sh
echo begun >>"{folder}/begun"
sleep 0.2
for last; do :; done
mkdir "$last"
"""


@pytest.fixture
def fit(tmp_path, monkeypatch):
    """A machine where nothing speaks against it."""
    monkeypatch.setattr(nspawn, "CACHE", tmp_path / "cache/nspawn")
    monkeypatch.setattr(nspawn.sys, "platform", "linux")
    monkeypatch.setattr(nspawn.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(nspawn.os, "geteuid", lambda: 0)
    monkeypatch.setattr(nspawn.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(nspawn.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10**10))
    monkeypatch.delenv("PLATEWATCH_NSPAWN", raising=False)


def test_where_nothing_speaks_against_it_it_runs_unasked_and_what_takes_long_when_asked(fit, monkeypatch):
    assert nspawn.unable() == ""
    assert "PLATEWATCH_NSPAWN=1" in nspawn.obstacle()
    monkeypatch.setenv("PLATEWATCH_NSPAWN", "1")
    assert (nspawn.unable(), nspawn.obstacle()) == ("", "")
    monkeypatch.setenv("PLATEWATCH_NSPAWN", "0")
    assert "PLATEWATCH_NSPAWN=0" in nspawn.unable()


@pytest.mark.parametrize(
    ("module", "name", "value", "said"),
    [
        ("sys", "platform", "darwin", "takes Linux"),
        ("platform", "machine", lambda: "riscv64", "x86_64 or aarch64"),
        ("os", "geteuid", lambda: 1000, "takes root"),
        ("shutil", "which", lambda name: None if name == "mmdebstrap" else name, "mmdebstrap is not on this machine"),
        ("shutil", "disk_usage", lambda folder: SimpleNamespace(free=3 * 10**8), "300 MB free, and 500 are needed"),
    ],
)
def test_what_speaks_against_it_is_said(fit, monkeypatch, module, name, value, said):
    monkeypatch.setattr(getattr(nspawn, module), name, value)
    assert said in nspawn.unable()
    monkeypatch.setenv("PLATEWATCH_NSPAWN", "1")
    assert said in nspawn.obstacle()


def test_a_root_that_is_there_needs_no_program_that_makes_one(fit, monkeypatch):
    (nspawn.CACHE / nspawn.SUITE).mkdir(parents=True)
    monkeypatch.setattr(nspawn.shutil, "which", lambda name: None if name == "mmdebstrap" else name)
    assert nspawn.unable() == ""


def test_what_cannot_be_had_is_the_last_word_of_the_program_and_what_hangs_is_ended():
    with pytest.raises(nspawn.NotHere, match="a Debian: E: no such host"):
        nspawn._done("a Debian", "sh", "-c", "echo one; echo two >&2; echo 'E: no such host' >&2; exit 3")
    with pytest.raises(nspawn.NotHere, match="no word why"):
        nspawn._done("a Debian", "false")
    with pytest.raises(nspawn.NotHere, match=r"not within 0 s"):
        nspawn._done("a Debian", "sleep", "60", limit_s=0.05)


@pytest.fixture
def maker(tmp_path, monkeypatch):
    """(folder, what `mmdebstrap` does there); the process stays in the mounts that it has."""
    monkeypatch.setattr(nspawn, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(nspawn, "BOUND", [])
    monkeypatch.setattr(nspawn, "own_mounts", lambda: None)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program = tmp_path / "mmdebstrap"

    def does(text):
        program.write_text(text.format(folder=tmp_path))
        program.chmod(0o755)

    return tmp_path, does


def test_two_that_want_the_root_at_once_make_it_once(maker):
    folder, does = maker
    does(MAKE)
    with ThreadPoolExecutor(2) as two:
        assert set(two.map(lambda _: nspawn.cached_root(), range(2))) == {folder / "cache" / nspawn.SUITE}
    assert (folder / "begun").read_text() == "begun\n"


def test_a_root_that_could_not_be_fetched_is_not_there_and_the_next_try_makes_it(maker):
    folder, does = maker
    does('#!/bin/sh\nfor last; do :; done\nmkdir "$last"\necho "E: cannot resolve deb.debian.org" >&2\nexit 1\n')
    with pytest.raises(nspawn.NotHere, match=r"could not be fetched: E: cannot resolve"):
        nspawn.cached_root()
    assert not (folder / "cache" / nspawn.SUITE).exists()
    does(MAKE)
    assert nspawn.cached_root().is_dir()


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("setpriv") is None or shutil.which("unshare") is None,
    reason="takes root on Linux, unshare and setpriv",
)
def test_what_was_begun_bound_ends_with_a_process_that_is_killed():
    """Also what has left its session."""
    sleep = ["sleep", f"9{os.getpid()}"]
    words = f"import subprocess; from tests import nspawn; subprocess.run([*nspawn.BOUND, 'sh', '-c', 'setsid {' '.join(sleep)} & wait'])"
    process = subprocess.Popen([sys.executable, "-c", words], cwd=nspawn.ROOT)
    try:
        _until(lambda: _running(sleep) == 1)
        process.send_signal(signal.SIGKILL)
        _until(lambda: _running(sleep) == 0)
    finally:
        process.kill()
        process.wait()


def _running(words: list[str]) -> int:
    found = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += path.read_bytes() == b"".join(word.encode() + b"\0" for word in words)
    return found


def _until(seen) -> None:
    until = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < until
        time.sleep(0.05)
