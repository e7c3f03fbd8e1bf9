"""Targets that are files."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from edge.publish.base import Unreachable
from edge.publish.files import CsvFile, JsonLines, PictureFolder
from edge.publish.settings import TargetConfig
from edge.publish.told import Site, Told
from tests.builders import an_event


def told(id: str = "1", *, test: bool = False, picture_file: str = "", picture: bytes = b"") -> Told:
    return Told(an_event(id).as_json(), Site(), picture, picture_file, "a", test)


def lines(folder: Path, **changes: Any) -> JsonLines:
    return JsonLines(TargetConfig(name="a", kind="jsonl", path=str(folder / "out/events.jsonl"), **changes))


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def test_each_event_is_a_line(tmp_path: Path) -> None:
    """In a folder that is made; a target opened anew goes on below."""
    lines(tmp_path).send(told("1"))
    lines(tmp_path).send(told("2"))
    assert ids(tmp_path / "out/events.jsonl") == ["1", "2"]


def test_a_line_that_is_offered_twice_stands_once(tmp_path: Path) -> None:
    """Killed between the writing and the outbox's note: the same event comes again, and is there already."""
    lines(tmp_path).send(told("1"))
    lines(tmp_path).send(told("1"))
    lines(tmp_path).send(told("2"))
    assert ids(tmp_path / "out/events.jsonl") == ["1", "2"]


def test_half_a_line_stays_alone(tmp_path: Path) -> None:
    """After a power cut the next event does not continue a torn one."""
    lines(tmp_path).send(told("1"))
    path = tmp_path / "out/events.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    lines(tmp_path).send(told("2"))
    assert path.read_text().count("\n") == 2
    assert json.loads(path.read_text().splitlines()[1])["id"] == "2"


def test_a_full_file_is_put_away(tmp_path: Path) -> None:
    """Whole lines in each, the newest few files stay, and nothing stands twice."""
    target = lines(tmp_path, rotate_mb=0.0012, keep_files=2)
    for number in range(8):
        target.send(told(str(number)))
        target.send(told(str(number)))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["events.jsonl", "events.jsonl.1", "events.jsonl.2"]
    found = [id for name in ("events.jsonl.2", "events.jsonl.1", "events.jsonl") for id in ids(tmp_path / "out" / name)]
    assert found == [str(number) for number in range(8)][-len(found) :]
    assert len(found) >= 3
    assert all((tmp_path / "out" / name).stat().st_size <= 1200 for name in names)


def test_a_csv_has_its_header_once_in_each_file(tmp_path: Path) -> None:
    """As fast-plate-ocr wants it; a test adds no row, but finds out whether one could be added."""
    config = TargetConfig(
        name="a",
        kind="csv",
        dialect="fast-plate-ocr",
        path=str(tmp_path / "annotations.csv"),
        picture="file",
        picture_folder="x",
        rotate_mb=0.00006,
        keep_files=3,
    )
    CsvFile(config).send(told(test=True))
    assert (tmp_path / "annotations.csv").read_text() == ""
    for number in range(3):
        CsvFile(config).send(told(picture_file=f"crops/{number}, a.jpg"))
    CsvFile(config).send(told(test=True))
    assert (tmp_path / "annotations.csv").read_text() == 'image_path,plate_text\n"crops/2, a.jpg",AB12CDE\n'
    assert (tmp_path / "annotations.csv.1").read_text() == 'image_path,plate_text\n"crops/1, a.jpg",AB12CDE\n'


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_file_that_cannot_be_written_is_tried_later(tmp_path: Path, kind: str) -> None:
    """A file where the folder should be; in words, without a path."""
    (tmp_path / "out").write_text("")
    settings: dict[str, Any] = {"dialect": "fast-plate-ocr", "picture": "file", "picture_folder": "x"} if kind == "csv" else {}
    config = TargetConfig(name="a", kind=kind, path=str(tmp_path / "out/file"), **settings)
    target = JsonLines(config) if kind == "jsonl" else CsvFile(config)
    with pytest.raises(Unreachable, match=r"the file cannot be written \((Not a directory|File exists)\)"):
        target.send(told(picture_file="x.jpg"))


def test_a_full_disk_is_tried_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the line stands once when there is room again, though a part of it may have been written before."""

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = lines(tmp_path)
    target.send(told("1"))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unreachable, match=r"cannot be written \(No space left on device\)"):
        target.send(told("2"))
    monkeypatch.undo()
    target.send(told("2"))
    assert ids(tmp_path / "out/events.jsonl") == ["1", "2"]


def test_old_pictures_make_room(tmp_path: Path) -> None:
    """The folder is looked through now and then, not at every picture; the newest stay; the same event has one file."""
    folder = PictureFolder(str(tmp_path / "crops"), keep=3, look_every=4)
    for number in range(9):
        path = folder.save(told(str(number), picture=b"x"))
        os.utime(path, (number, number))
        assert folder.save(told(str(number), picture=b"x")) == path
    left = sorted(path.name for path in (tmp_path / "crops").iterdir())
    assert left == ["6-final.jpg", "7-final.jpg", "8-final.jpg"]


def test_a_picture_folder_that_cannot_be_written_is_tried_later(tmp_path: Path) -> None:
    (tmp_path / "crops").write_text("")
    with pytest.raises(Unreachable, match="the picture cannot be written"):
        PictureFolder(str(tmp_path / "crops"), 1).save(told(picture=b"x"))
