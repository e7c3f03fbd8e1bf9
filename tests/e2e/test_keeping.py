"""Real faults: a disk that is full, a disk that is read-only, a folder of somebody else's, and a config that cannot be used."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge import status
from edge.keeper import Keeper
from edge.keeping.opening import open_store
from tests.builders import a_frame, an_event

ROOT = Path(__file__).parent.parent.parent
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk, or be somebody else for a while")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that leaves no byte free."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert os.statvfs(folder).f_bavail == 0
    return path


@as_root
def test_on_a_full_disk_events_wait_and_are_written_when_there_is_room(disk: Path) -> None:
    """Nothing is lost, the store stays whole, and the trouble is said in words."""
    store = open_store(disk / "events.sqlite")
    keeper = Keeper(store)
    keeper.keep([an_event("before")], now=0.0)
    ballast = fill(disk)
    for number in range(40):
        keeper.keep([an_event(str(number), crop_jpeg=bytes(5000))], now=10.0 + number)
    assert "events wait to be stored" in keeper.trouble
    assert "the disk is full" in keeper.trouble
    assert keeper.waiting > 0
    ballast.unlink()
    keeper.keep([], now=1000.0)
    assert (keeper.trouble, keeper.waiting, keeper.lost, store.count()) == ("", 0, 0, 41)
    store.check()
    store.close()


@as_root
def test_on_a_disk_that_is_full_from_the_start_the_store_comes_later(disk: Path) -> None:
    ballast = fill(disk)
    store = open_store(disk / "events.sqlite")
    keeper = Keeper(store)
    keeper.keep([an_event()], now=0.0)
    assert "1 events wait" in keeper.trouble
    ballast.unlink()
    keeper.keep([], now=1000.0)
    assert (keeper.trouble, store.count()) == ("", 1)
    store.close()


@as_root
def test_on_a_read_only_disk_events_wait_until_it_can_be_written(disk: Path) -> None:
    """As a card becomes when it fails; mounted for writing again, it goes on by itself."""
    store = open_store(disk / "events.sqlite")
    keeper = Keeper(store)
    keeper.keep([an_event("before")], now=0.0)
    store.close()  # else the kernel refuses to make the disk read-only
    remount(disk, "ro")
    store = open_store(disk / "events.sqlite")
    keeper = Keeper(store)
    keeper.keep([an_event("after")], now=10.0)
    assert "whether the disk is read-only" in keeper.trouble
    remount(disk, "rw")
    keeper.keep([], now=1000.0)
    assert (keeper.trouble, [event.id for event in store.events()]) == ("", ["after", "before"])
    store.close()


@as_root
@pytest.mark.parametrize("first", [True, False])
def test_in_a_folder_of_somebody_elses_events_wait_until_it_is_ours(tmp_path: Path, first: bool) -> None:
    """Whether there is a store in it or not; the sentence says what to look at."""
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:  # a worker of many has a folder of its own in between
        parent.chmod(0o755)
    folder = tmp_path / "var"
    folder.mkdir()
    if not first:
        open_store(folder / "events.sqlite").close()
    os.seteuid(NOBODY)
    try:
        store = open_store(folder / "events.sqlite")
        keeper = Keeper(store)
        keeper.keep([an_event()], now=0.0)
        assert "who owns" in keeper.trouble
        os.seteuid(0)
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        keeper.keep([], now=1000.0)
        assert (keeper.trouble, store.count()) == ("", 1)
        store.close()
    finally:
        os.seteuid(0)


def until(true: Callable[[], Any], process: subprocess.Popen[bytes], within_s: float = 60.0) -> Any:
    end = time.monotonic() + within_s
    while not (found := true()):
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < end, "not in time"
        time.sleep(0.1)
    return found


def end(process: subprocess.Popen[bytes]) -> int:
    """Politely, and by force where it does not listen; its code."""
    process.terminate()
    try:
        return process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def command(*words: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "edge", *words], cwd=ROOT, env=os.environ | environment)


def write_config(folder: Path, more: str = "") -> None:
    (folder / "fresh").write_text(
        f'[camera]\nname = "yard"\nkind = "files"\nsource = "pictures"\nloop = true\n[store]\npath = "events.sqlite"\nkeep_at_least_mb_free = 0\n'
        f'[runtime]\ndirectory = "run"\n{more}'
    )
    (folder / "fresh").replace(folder / "c.toml")


def test_a_daemon_without_a_usable_config_lives_and_says_so_until_there_is_one(tmp_path: Path) -> None:
    """The real process, as systemd starts it: READY in safe mode, then the watch; a bad reload is refused, a good one taken."""
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "1.png"), a_frame().luma)
    write_config(tmp_path, "[tracking]\nmin_reads = 99\n")

    def told() -> dict[str, Any]:
        return status.read(tmp_path / "run") or {}

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        process = command("run", "--config", str(tmp_path / "c.toml"), NOTIFY_SOCKET=str(tmp_path / "notify"))
        try:
            assert systemd.recv(100) == b"READY=1"
            until(lambda: told().get("state") == "safe mode", process)
            assert "tracking.min_reads" in told()["detail"]
            assert (told()["camera"]["name"], status.is_alive(told())) == ("yard", True)
            write_config(tmp_path)
            until(lambda: told().get("state") == "watching", process)
            assert told()["detail"] == ""

            write_config(tmp_path, "[tracking]\nmin_reads = 99\n")
            process.send_signal(signal.SIGHUP)
            detail = until(lambda: told()["detail"], process)
            assert "the new config was not taken" in detail
            assert "tracking.min_reads" in detail

            write_config(tmp_path, "[tracking]\nmin_reads = 3\n[privacy]\nknown_only = true\n[web]\nport = 8081\n")
            process.send_signal(signal.SIGHUP)
            until(lambda: "restart Platewatch" in told()["detail"], process)
            assert told()["detail"] == "restart Platewatch for the changes of web.port"
            assert told()["store"]["privacy"]["known_only"]
        finally:
            assert end(process) == 0
    assert told()["state"] == "stopped"


def test_in_a_terminal_a_bad_config_is_an_error(tmp_path: Path) -> None:
    write_config(tmp_path, "[tracking]\nmin_reads = 99\n")
    done = subprocess.run([sys.executable, "-m", "edge", "run", "--config", str(tmp_path / "c.toml")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "tracking.min_reads" in done.stderr


def test_the_page_shows_what_is_wrong_with_the_config_and_begins_anew_with_a_good_one(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def page() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    web = f"[web]\nport = {port}\n"
    write_config(tmp_path, f"{web}[tracking]\nmin_reads = 99\n")
    process = command("web", "--config", str(tmp_path / "c.toml"))
    try:
        until(lambda: "tracking.min_reads" in page(), process)
        assert "Safe mode" in page()
        write_config(tmp_path, web)
        until(lambda: (found := page()) and "tracking.min_reads" not in found, process)
    finally:
        end(process)
