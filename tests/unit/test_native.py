"""The native data format: what is read, and how a mistake is told."""

from __future__ import annotations

import json

import pytest

from train.data.formats.native import DataError, find_folders, read_folder

ROW = {
    "image": "images/a.jpg",
    "width": 640,
    "height": 480,
    "country": "gb",
    "source": "mine",
    "ignore": [[0, 0, 9, 9]],
    "plates": [{"box": [10, 20, 110, 45], "corners": [[10, 20], [110, 21], [110, 45], [11, 44]], "text": "AB12CDE", "lines": 1}],
}


def write(folder, *rows):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labels.jsonl").write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return folder


def test_a_row_becomes_a_picture_with_its_plates(tmp_path):
    (image,) = read_folder(write(tmp_path, ROW))
    (plate,) = image.plates
    assert (image.path, image.country, image.crop, len(image.ignored)) == (tmp_path / "images/a.jpg", "gb", False, 1)
    assert (plate.text, plate.box.width, plate.quad.points[1], plate.exact) == ("AB12CDE", 100, (110, 21), True)


@pytest.mark.parametrize("key", ["partial", "masked"])
def test_a_partial_text_is_not_held_against_a_reader(tmp_path, key):
    (image,) = read_folder(write(tmp_path, ROW | {"plates": [ROW["plates"][0] | {key: True}]}))
    assert not image.plates[0].exact


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{broken", "not JSON"),
        ({key: value for key, value in ROW.items() if key != "width"}, "'width' is missing"),
        (ROW | {"plates": [{"box": [10, 10, 10, 40]}]}, "no area"),
        (ROW | {"plates": [{"box": [1, 2, 30, 40], "text": "ab-12"}]}, "text 'ab-12'"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(tmp_path, row, words):
    with pytest.raises(DataError, match=words) as refusal:
        read_folder(write(tmp_path, ROW, row))
    assert "labels.jsonl:2" in str(refusal.value)


def test_a_folder_of_folders_is_all_of_them(tmp_path):
    write(tmp_path / "b", ROW)
    write(tmp_path / "a", ROW)
    assert find_folders([tmp_path]) == [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(DataError, match=r"no labels\.jsonl"):
        find_folders([tmp_path / "a" / "none"])
