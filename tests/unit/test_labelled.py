"""`python -m train draw`: labelled sets that hold nobody's plate."""

from __future__ import annotations

from edge.vision.image import load_image
from train.cli import main
from train.data.formats.native import find_folders, read_folder


def test_what_is_drawn_reads_back_as_the_native_format(tmp_path):
    assert main(["draw", "--out", str(tmp_path), "--crops", "6", "--scenes", "2"]) == 0
    crops, scenes = (read_folder(folder) for folder in find_folders([tmp_path]))
    assert (len(crops), len(scenes)) == (6, 2)
    for image in crops + scenes:
        luma, _ = load_image(image.path)
        assert luma.shape == (image.height, image.width)
    assert all(image.crop and image.plates[0].exact for image in crops)
    for plate in (plate for image in scenes for plate in image.plates):
        assert plate.quad is not None
        assert abs(plate.quad.box.width - plate.box.width) < 0.1


def test_the_same_seed_draws_the_same(tmp_path):
    for name in ("one", "two"):
        main(["draw", "--out", str(tmp_path / name), "--crops", "3", "--scenes", "0", "--seed", "9"])
    one, two = ((tmp_path / name / "drawn_crops/labels.jsonl").read_text() for name in ("one", "two"))
    assert one == two
