"""The doctor's checks, each on a machine that is made up: what is wrong is said, with its mend, and nothing hangs."""

from __future__ import annotations

import getpass
import json
import os
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge import cli, config, doctor, status
from edge.checks import board, camera, clock, disk, frame, network, permissions
from edge.checks.outcome import Device, Outcome, worst
from edge.checks.patience import within
from edge.errors import ConfigError
from edge.model import selftest

PI = "Raspberry Pi 4 Model B Rev 1.4"


def a_device(folder: Path, text: str = "") -> Device:
    path = folder / "watch.toml"
    path.write_text('[store]\npath = "var/events.sqlite"\n[runtime]\ndirectory = "run"\n' + text)
    return Device(str(path), config.load(path))


def answers(word: str | None) -> Any:
    return lambda *words: word


@pytest.fixture
def a_pi(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "model").write_text(f"{PI}\0")
    return {"board": tmp_path / "model", "firmware": tmp_path / "none"}


@pytest.mark.parametrize(
    ("bits", "supply", "throttling"),
    [
        ("0x0", ("good", "no under-voltage"), ("good", "never slowed")),
        ("0x50005", ("bad", "under-volted just now"), ("bad", "throttled now")),
        ("0x50000", ("note", "at some time"), ("note", "throttled since the start")),
        ("0x80008", ("good", "no under-voltage"), ("bad", "soft temperature limit now")),
        ("0x2", ("good", "no under-voltage"), ("bad", "frequency capped now")),
    ],
)
def test_the_bits_of_the_firmware_are_words(a_pi: dict[str, Path], bits: str, supply: tuple[str, str], throttling: tuple[str, str]) -> None:
    """The supply's bits and the heat's are two findings."""
    for check, (state, words) in ((board.check_supply, supply), (board.check_throttling, throttling)):
        found = check(Device(), ask=answers(f"throttled={bits}"), **a_pi)
        assert found is not None
        assert (found.state, words in found.words, bool(found.mend)) == (state, True, state != "good"), found


def test_the_firmware_s_file_is_asked_before_vcgencmd(a_pi: dict[str, Path]) -> None:
    a_pi["firmware"].write_text("50005\n")
    found = board.check_supply(Device(), ask=answers("throttled=0x0"), **a_pi)
    assert found is not None
    assert found.state == "bad"


def test_vcgencmd_itself_is_run(a_pi: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fake one on the path."""
    fake = tmp_path / "vcgencmd"
    fake.write_text('#!/bin/sh\n[ "$1" = get_throttled ] && echo throttled=0x1\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = board.check_supply(Device(), **a_pi)
    assert found is not None
    assert found.state == "bad"


def test_a_pi_that_gives_no_answer_is_noted_and_another_machine_is_not(a_pi: dict[str, Path], tmp_path: Path) -> None:
    silent = board.check_supply(Device(), ask=answers(None), **a_pi)
    assert silent is not None
    assert (silent.state, "raspi-utils" in silent.mend) == ("note", True)
    assert board.check_throttling(Device(), ask=answers(None), **a_pi) is None
    assert board.check_supply(Device(), ask=answers(None), board=tmp_path / "no", firmware=tmp_path / "no") is None


@pytest.mark.parametrize(
    ("total", "free", "swap", "swap_free", "state"),
    [(4000, 3000, 100, 100, "good"), (4000, 100, 0, 0, "bad"), (900, 300, 400, 100, "note"), (480, 300, 0, 0, "note"), (480, 300, 200, 200, "good")],
)
def test_memory_and_swap(tmp_path: Path, total: int, free: int, swap: int, swap_free: int, state: str) -> None:
    path = tmp_path / "meminfo"
    sizes = {"MemTotal": total, "MemAvailable": free, "SwapTotal": swap, "SwapFree": swap_free}
    path.write_text("".join(f"{key}:  {1024 * mb} kB\n" for key, mb in sizes.items()))
    found = board.check_memory(Device(), meminfo=path)
    assert found is not None
    assert (found.state, bool(found.mend)) == (state, state != "good")


@pytest.mark.parametrize(
    ("year", "answer", "state", "words"),
    [
        (1970, "yes", "bad", "1970-01-01"),
        (2027, "yes", "good", "synchronised"),
        (2027, "no", "note", "not synchronised"),
        (2027, None, "good", "does not tell"),
    ],
)
def test_the_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, year: int, answer: str | None, state: str, words: str) -> None:
    monkeypatch.setattr(clock, "SYNCHRONISED", tmp_path / "none")
    found = clock.check_clock(Device(), wall=lambda: datetime(year, 1, 1, 12, tzinfo=UTC), ask=answers(answer))
    assert (found.state, words in found.words, bool(found.mend)) == (state, True, state != "good")


def test_more_threads_than_cores_is_noted(tmp_path: Path) -> None:
    found = board.check_threads(a_device(tmp_path, "[models]\nthreads = 16\n"))
    assert found is not None
    assert found.state == ("note" if (os.cpu_count() or 1) < 16 else "good")


@pytest.mark.parametrize(
    ("room", "state", "words"),
    [((5000.0, 10**6, True), "good", "5000 MB free"), ((90.0, 10**6, True), "bad", "the floor is 200 MB"), ((5000.0, 12, True), "bad", "only 12 more files"),
     ((5000.0, 0, False), "good", "5000 MB free")],
)  # fmt: skip
def test_the_disk_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: tuple[float, int, bool], state: str, words: str) -> None:
    """A file system that counts no inodes is not out of them."""
    monkeypatch.setattr(disk, "room", lambda folder: room)
    found = disk.check_disk(a_device(tmp_path))
    assert found is not None
    assert (found.state, words in found.words) == (state, True)


@pytest.mark.parametrize(
    ("device", "files", "words"),
    [
        ("mmcblk0", {"device/type": "SD"}, "an SD card"),
        ("mmcblk0", {"device/type": "MMC"}, "an eMMC"),
        ("sda", {"queue/rotational": "1"}, "a hard disk"),
        ("nvme0n1", {"queue/rotational": "0"}, "an SSD"),
        ("vda", {"queue/rotational": "1"}, "a virtual disk"),
        ("sdb", {}, ""),
    ],
)
def test_the_kind_of_disk_is_found_through_its_partition(tmp_path: Path, device: str, files: dict[str, str], words: str) -> None:
    number = os.stat(tmp_path).st_dev
    disk_folder = tmp_path / "sys/block" / device
    part = disk_folder / f"{device}p1"
    part.mkdir(parents=True)
    (part / "partition").write_text("1\n")
    for name, text in files.items():
        (disk_folder / name).parent.mkdir(exist_ok=True)
        (disk_folder / name).write_text(f"{text}\n")
    links = tmp_path / "sys/dev/block"
    links.mkdir(parents=True)
    (links / f"{os.major(number)}:{os.minor(number)}").symlink_to(part)
    assert disk.kind_of(tmp_path, tmp_path) == words


def test_a_store_in_memory_is_noted(tmp_path: Path) -> None:
    number = os.stat(tmp_path).st_dev
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(f"1 2 {os.major(number)}:{os.minor(number)} / /tmp rw shared:1 - tmpfs tmpfs rw\n")
    assert disk.kind_of(tmp_path, tmp_path) == "in memory"


TARGETS = """
[[targets]]
name = "book"
kind = "jsonl"
path = "{folder}/book.jsonl"
[[targets]]
name = "hook"
kind = "webhook"
url = "http://127.0.0.1:{port}/secret-path"
[[targets]]
name = "run"
kind = "exec"
command = ["{program}"]
"""


def test_targets_that_would_be_told_are_good(tmp_path: Path) -> None:
    """A port that listens, a file that can be written, a program that is there."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        device = a_device(tmp_path, TARGETS.format(folder=tmp_path, port=listening.getsockname()[1], program=sys.executable))
        found = network.check_targets(device)
    assert found is not None
    assert (found.state, found.words.count("target ")) == ("good", 3)


def test_each_target_that_would_not_is_named_without_its_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    device = a_device(tmp_path, TARGETS.format(folder=tmp_path / "book.jsonl", port=port, program="/no/such/program"))
    (tmp_path / "book.jsonl").mkdir()
    (tmp_path / "book.jsonl/book.jsonl").mkdir()
    found = network.check_targets(device)
    assert found is not None
    assert found.state == "bad"
    assert all(name in found.words for name in ("target book", f"127.0.0.1:{port} cannot be reached", "there is no program /no/such/program"))
    assert "secret-path" not in found.words + found.mend
    monkeypatch.setattr(socket, "create_connection", lambda *args, **named: (_ for _ in ()).throw(socket.gaierror(-2, "unknown")))
    assert "the name 127.0.0.1 is not known here" in (network.check_targets(device) or Outcome("", "")).words


def test_a_secret_that_is_missing_is_said(tmp_path: Path) -> None:
    device = a_device(tmp_path, '[[targets]]\nname = "hook"\nkind = "webhook"\nurl = "env:PLATEWATCH_NO_SUCH"\n')
    found = network.check_targets(device)
    assert found is not None
    assert (found.state, "PLATEWATCH_NO_SUCH" in found.words) == ("bad", True)


def test_without_targets_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert network.check_targets(a_device(tmp_path)) is None
    assert network.check_targets(Device()) is None


def test_what_this_user_may_not_is_said_with_the_command(tmp_path: Path) -> None:
    """Store, runtime folder, config; as any user, root included."""
    device = a_device(tmp_path)
    found = permissions.check_permissions(device, may=lambda path, how: not how & os.W_OK)
    assert found is not None
    assert found.state == "bad"
    assert "store.path" in found.words
    assert "runtime.directory" in found.words
    assert f"sudo chown {getpass.getuser()}" in found.mend
    good = permissions.check_permissions(device, may=lambda path, how: True)
    assert good is not None
    assert good.state == "good"


def test_secrets_that_others_may_read_are_bad(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("hush")
    text = '[[targets]]\nname = "hook"\nkind = "webhook"\nurl = "http://x/"\nsecret = "file:word"\n'
    for mode, state in ((0o644, "bad"), (0o600, "good")):
        (tmp_path / "word").chmod(mode)
        found = permissions.check_permissions(a_device(tmp_path, text), may=lambda path, how: True)
        assert found is not None
        assert found.state == state
        assert "hush" not in found.words
    (tmp_path / "word").unlink()
    found = permissions.check_permissions(a_device(tmp_path, text), may=lambda path, how: True)
    assert found is not None
    assert "no such file" in found.words


def test_a_camera_that_is_a_recording_is_opened_and_shown(tmp_path: Path) -> None:
    """Through the other process, as the doctor does it."""
    clip = Path(doctor.__file__).parent / "clips/demo.mp4"
    found = camera.check_camera(a_device(tmp_path, f'[camera]\nkind = "files"\nsource = "{clip}"\n'))
    assert found == Outcome("good", "1280x720, a picture came")


def test_a_camera_that_is_not_there_is_bad_with_its_mend(tmp_path: Path) -> None:
    found = camera.check_camera(a_device(tmp_path, '[camera]\nkind = "opencv"\nsource = "/dev/video97"\n'))
    assert found is not None
    assert (found.state, "/dev/video97 cannot be opened" in found.words, "v4l2-ctl" in found.mend) == ("bad", True, True)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import time; time.sleep(60)", "no picture came within 0"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed (signal 11)"),
        ("raise SystemExit(3)", "could not be tried (exit 3)"),
        ("print('{\\'why\\': 1')", "could not be tried (exit 0)"),
    ],
)
def test_a_driver_that_hangs_or_crashes_does_not_take_the_doctor_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, words: str) -> None:
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c \"{script}\"\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    began = time.monotonic()
    assert words in camera.look(tmp_path / "watch.toml", 0.4 if "sleep" in script else 20.0)["why"]
    assert time.monotonic() - began < 15


def test_the_mend_is_that_of_the_camera_s_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the library of the Pi camera is asked for only where one is configured, or nothing is."""
    monkeypatch.setattr(camera, "look", lambda path: {"why": "it is broken"})
    monkeypatch.setattr(camera.importlib.util, "find_spec", lambda name: None)
    for text, mend, asked in (
        ('kind = "opencv"\nsource = "rtsp://me:hush@192.0.2.1/1"', "another player", False),
        ('kind = "opencv"', "v4l2-ctl", False),
        ('kind = "pi"', "ribbon cable", True),
        ('kind = "files"', "camera.source", False),
    ):
        device = a_device(tmp_path, f"[camera]\n{text}\n")
        found = camera.check_camera(device)
        assert found is not None
        assert (mend in found.mend, camera.check_library(device) is not None) == (True, asked)
    assert camera.check_library(Device()) is not None


def test_a_black_picture_is_noted() -> None:
    seen = {"width": 640, "height": 480, "fps": 30.0, "mean": 2.0, "spread": 0.5}
    assert "the picture is black" in camera.in_words("opencv", seen).words
    assert "all one grey" in camera.in_words("pi", seen | {"mean": 120.0}).words
    assert camera.in_words("opencv", seen | {"spread": 40.0}) == Outcome("good", "640x480, 30 frames/s, a picture came")


def test_a_camera_that_the_daemon_holds_is_not_opened_a_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A V4L2 device has one user; the daemon's own word is worth as much."""
    device = a_device(tmp_path)
    told = {"v": 1, "pid": os.getpid(), "state": "watching", "updated_at": status.utc_iso(datetime.now(UTC)), "camera": {"name": "gate", "fps": 15.0}}
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(camera, "look", lambda path: pytest.fail("opened"))
    for state, wanted in (("watching", "good"), ("starting", "note"), ("camera lost", "bad")):
        (tmp_path / "run/status.json").write_text(json.dumps(told | {"state": state}))
        found = camera.check_camera(device)
        assert found is not None
        assert found.state == wanted


def test_a_stream_whose_camera_sends_another_size_than_the_daemon_has_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked on a connection of its own; where that cannot say, nobody knows, and the daemon's word stands."""
    device = a_device(tmp_path, '[camera]\nsource = "rtsp://me:hush@192.0.2.1/1"\n')
    camera_told = {"name": "gate", "fps": 15.0, "width": 1280, "height": 720}
    told = {"v": 1, "pid": os.getpid(), "state": "watching", "updated_at": status.utc_iso(datetime.now(UTC)), "camera": camera_told}
    (tmp_path / "run").mkdir()
    (tmp_path / "run/status.json").write_text(json.dumps(told))
    for sent, state in (({"width": 1280, "height": 720}, "good"), ({"why": "it does not say"}, "good"), ({"width": 640, "height": 480}, "note")):
        monkeypatch.setattr(camera, "look", lambda path, way, sent=sent: sent)
        found = camera.check_camera(device)
        assert found is not None
        assert (found.state, "the camera sends 640x480 now" in found.words) == (state, state == "note")
        assert "hush" not in found.words + found.mend


def test_without_a_config_the_doctor_says_which_cameras_there_are(tmp_path: Path) -> None:
    assert camera._there(tmp_path).state == "note"
    (tmp_path / "video0").touch()
    assert "video0" in camera._there(tmp_path).words


def test_a_config_that_cannot_be_loaded_is_a_reason(tmp_path: Path) -> None:
    assert "cannot be read" in frame.take(str(tmp_path / "none.toml"))["why"]


def test_a_check_that_hangs_is_left_behind() -> None:
    """And what a check raises is raised here."""
    never = threading.Event()
    found = within(lambda device: never.wait() and None, Device(), 0.05)
    never.set()
    assert found is not None
    assert (found.state, "no answer within" in found.words) == ("bad", True)

    def broken(_: Device) -> Outcome:
        raise ConfigError("set it right")

    with pytest.raises(ConfigError, match="set it right"):
        within(broken, Device(), 5.0)


def test_of_many_outcomes_the_worst_speaks() -> None:
    ones = [Outcome("good", "a"), Outcome("bad", "b", "x"), Outcome("bad", "c", "x"), Outcome("note", "d")]
    assert worst(ones) == Outcome("bad", "b; c", "x")
    assert worst(ones[:1]) == Outcome("good", "a")


def test_every_finding_that_is_bad_has_its_mend_in_text_and_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On a device where much is wrong, through the command itself."""
    sound = {"name": "x-0", "state": "exact", "delegated": True, "runtime": "r", "outputs": ""}
    monkeypatch.setattr(selftest, "self_test_apart", lambda kind, folder: sound)
    monkeypatch.setattr(disk, "room", lambda folder: (1.0, 10**6, True))
    monkeypatch.setattr(camera, "look", lambda path: {"why": "it is broken"})
    monkeypatch.setattr(clock, "datetime", SimpleNamespace(now=lambda zone: datetime(1970, 1, 1, tzinfo=UTC)))
    device = a_device(tmp_path, TARGETS.format(folder=tmp_path, port=9, program="/no/such"))
    assert cli.main(["doctor", "--json", "--config", str(device.config_file)]) == 1
    lines = {line["what"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    bad = {what for what, line in lines.items() if line["state"] == "bad"}
    assert bad == {"disk", "camera", "clock", "targets"}
    assert [what for what in bad if not lines[what]["mend"]] == []
    assert cli.main(["doctor", "--config", str(device.config_file)]) == 1
    said = capsys.readouterr().out
    assert all(f"BAD   {what}: " in said for what in bad)
