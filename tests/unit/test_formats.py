"""Every importer on a tiny set of its own, with the traps that its format is known for."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from train.data.formats import FORMATS
from train.data.formats.auto import importer, recognise
from train.data.formats.native import read_folder
from train.data.formats.raw import FormatError, Wishes
from train.data.formats.tree import Tree
from train.data.prepare.check import Sample, Told
from train.data.prepare.gather import Looks, counted, gather
from train.data.prepare.write import write_pictures

WIDTH, HEIGHT = 160, 120


@dataclass
class Expected:
    """`plates`: by the picture's name, (box rounded, text) each; `reasons`: how often each; `rows`: keys of a picture's row that matter."""

    plates: dict[str, list[tuple[tuple[int, ...], str | None]]]
    reasons: dict[str, int] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)


def a_picture(path: Path, width: int = WIDTH, height: int = HEIGHT) -> Path:
    """Soft blotches, other ones for every path, so that no two look alike."""
    rng = np.random.default_rng(zlib.crc32(path.name.encode()))
    coarse = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix if path.suffix in (".jpg", ".png", ".webp", ".bmp", ".tif") else ".jpg"
    path.write_bytes(cv2.imencode(suffix, cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))[1].tobytes())
    return path


def write(path: Path, words: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words, encoding=encoding)
    return path


def native(root: Path) -> Expected:
    """A broken line and a missing picture are counted, not fatal; keys that nobody knows are carried along."""
    plate = {"box": [10, 20, 110, 45], "corners": [[10, 20], [110, 21], [110, 45], [11, 44]], "text": "AB12CDE", "verified": True}
    row = {"image": "images/a.jpg", "width": WIDTH, "height": HEIGHT, "source": "mine", "country": "gb", "plates": [plate], "session": "s1", "weather": "rain"}
    crop = {"image": "images/c.jpg", "width": 80, "height": 20, "plates": [{"box": [0, 0, 80, 20], "text": "XY34Z"}], "crop": True}
    rows = [row, row | {"image": "images/none.jpg"}, crop, {"image": "images/a.jpg"}]
    write(root / "set/labels.jsonl", "\n".join(map(json.dumps, rows)) + "\n{broken\n")
    a_picture(root / "set/images/a.jpg")
    a_picture(root / "set/images/c.jpg", 80, 20)
    a_picture(root / "other/images/none.jpg")  # of that name, but not the one meant
    return Expected(
        {"a.jpg": [((10, 20, 110, 45), "AB12CDE")], "c.jpg": [((0, 0, 80, 20), "XY34Z")]},
        {"broken label": 2, "missing picture": 1, "no label": 1},
        {"a.jpg": {"source": "mine", "country": "gb", "session": "s1", "weather": "rain"}, "c.jpg": {"source": "set", "crop": True}},
    )


def coco(root: Path) -> Expected:
    """Ids with gaps, a parent class without objects, a crowd, an annotation of no picture, texts in attributes and in a category's name."""
    images = [{"id": i, "file_name": f"{name}.jpg", "width": WIDTH, "height": HEIGHT} for i, name in ((3, "a"), (7, "b"), (9, "empty"), (11, "crowd"))]
    categories = [{"id": 0, "name": "plates-zKpW", "supercategory": "none"}, {"id": 4, "name": "license-plate"}, {"id": 6, "name": "KL01CA2555"}]
    corners = [20, 31, 80, 30, 81, 50, 21, 51]
    annotations = [
        {"id": 1, "image_id": 3, "category_id": 4, "bbox": [20, 30, 61, 21], "segmentation": [corners], "attributes": {"plate": "ab-12 cde"}},
        {"id": 2, "image_id": 7, "category_id": 6, "bbox": [10.5, 10, 60, 20], "iscrowd": 0},
        {"id": 3, "image_id": 11, "category_id": 4, "bbox": [0, 0, 100, 50], "iscrowd": 1, "segmentation": {"counts": [1], "size": [1, 1]}},
        {"id": 4, "image_id": 99, "category_id": 4, "bbox": [0, 0, 10, 10]},
        {"id": 5, "image_id": 3, "category_id": 4, "bbox": [0, 0, 10]},
    ]
    write(root / "annotations/instances.json", json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    for image in images:
        a_picture(root / "images" / str(image["file_name"]))
    return Expected(
        {"a.jpg": [((20, 30, 81, 51), "AB12CDE")], "b.jpg": [((10, 10, 70, 30), "KL01CA2555")], "empty.jpg": [], "crowd.jpg": []},
        {"broken label": 2, "crowd": 1, "separators dropped": 1},
        {"empty.jpg": {"negative": True}, "crowd.jpg": {"ignore": [[0.0, 0.0, 100.0, 50.0]]}},
    )


def voc(root: Path) -> Expected:
    """Fractions of px, `#` and `=` in names, a size of zero, classes of other things, a text as the class, a file name that is another picture's."""

    def xml(name: str, *objects: tuple[str, str], size: tuple[int, int] = (WIDTH, HEIGHT)) -> str:
        found = "".join(f"<object><name>{kind}</name><bndbox>{box}</bndbox></object>" for kind, box in objects)
        width, height = size
        told = f"<filename>{name}</filename><size><width>{width}</width><height>{height}</height></size>"
        return f'<?xml version="1.0" encoding="utf-8"?><annotation>{told}{found}</annotation>'

    def box(*values: float) -> str:
        return "".join(f"<{key}>{value}</{key}>" for key, value in zip(("xmin", "ymin", "xmax", "ymax"), values, strict=True))

    clip = "ride_001.mp4#t=1054"
    write(root / f"Annotations/{clip}.xml", xml(f"{clip}.jpg", ("license-plate", box(10.4, 20.6, 70.2, 40.4)), ("car", box(0, 0, 99, 99))))
    write(root / "Annotations/b.xml", xml("b.jpg", ("KL 01 CA 2555", box(90, 10, 30, 30)), size=(0, 0)))
    write(root / "Annotations/c.xml", xml("b.jpg"))
    write(root / "Annotations/d.xml", xml("d.jpg", ("license-plate", "<xmin>1</xmin>")))
    write(root / "Annotations/e.xml", "<annotation><object>")
    write(root / "Annotations/gone.xml", xml("gone.png", ("number_plate", box(1, 2, 30, 14))))
    for name in ("b", "c", "d"):
        a_picture(root / f"JPEGImages/{name}.jpg")
    a_picture(root / f"JPEGImages/{clip.replace('#', '%23').replace('=', '%3D')}.jpg").rename(root / "JPEGImages/ride_001.mp4_t_1054.jpg")
    return Expected(
        {"ride_001.mp4_t_1054.jpg": [((10, 21, 70, 40), None)], "b.jpg": [((30, 10, 90, 30), "KL01CA2555")], "c.jpg": []},
        {"other class": 1, "box turned round": 1, "separators dropped": 1, "another name": 1, "broken label": 2, "no usable plate": 1, "missing picture": 1},
        {"ride_001.mp4_t_1054.jpg": {"session": "ride_001.mp4"}, "c.jpg": {"negative": True}},
    )


def ccpd(root: Path) -> Expected:
    """The example of its description, a green plate of eight, a name with two suffixes, the part without plates, and a table overrun."""
    example = "025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-0_0_22_27_27_33_16-37-15"
    a_picture(root / f"ccpd_base/{example}.jpg", 720, 1160)
    a_picture(root / "ccpd_green/04-90_267-158&412_348&480-347&477_158&480_160&414_348&412-14_1_3_24_27_33_30_24-99-40.jpg.png", 720, 1160)
    a_picture(root / "ccpd_base/025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-0_0_22_27_27_33_99-37-15.jpg", 720, 1160)
    a_picture(root / "ccpd_np/1002.jpg", 720, 1160)
    green = "04-90_267-158&412_348&480-347&477_158&480_160&414_348&412-14_1_3_24_27_33_30_24-99-40.jpg.png"
    return Expected(
        {f"{example}.jpg": [((154, 383, 386, 473), "AY339S")], green: [((158, 412, 348, 480), "BD0396" + "0")], "1002.jpg": []},
        {"broken label": 1, "glyphs left out": 2},
        {f"{example}.jpg": {"country": "cn"}, "1002.jpg": {"negative": True}},
    )


def ufpr(root: Path) -> Expected:
    """Keys in either order, with tabs; two lines told by the characters; RodoSol's corners; a track is a session."""
    chars = "".join(f"\tchar {i}: {20 + 12 * ((i - 1) % 4)} {30 + 16 * (i > 3)} 10 14\n" for i in range(1, 8))
    write(
        root / "track0091/track0091[01].txt",
        f"camera: GoPro\nposition_vehicle: 0 0 99 99\n\ttype: motorcycle\nplate: ABC-1234\nposition_plate: 18 28 52 36\n{chars}",
    )
    write(root / "ssig/b.txt", "position_plate: 20 40 60 20\nplate: XYZ9876\n")
    write(root / "rodosol/c.txt", "type: car\nplate: ODE2G04\nlayout: Mercosur\ncorners: 31,41 91,40 90,60 30,61\n")
    write(root / "rodosol/d.txt", "type: car\nplate: AAA1111\nposition_plate: 1 2 3\n")
    a_picture(root / "track0091/track0091[01].png")
    for name in ("ssig/b.png", "rodosol/c.jpg", "rodosol/d.jpg"):
        a_picture(root / name)
    return Expected(
        {"track0091[01].png": [((18, 28, 70, 64), "ABC1234")], "b.png": [((20, 40, 80, 60), "XYZ9876")], "c.jpg": [((30, 40, 91, 61), "ODE2G04")]},
        {"separators dropped": 1, "broken label": 1},
        {"track0091[01].png": {"session": "track0091", "country": "br"}},
    )


def openalpr(root: Path) -> Expected:
    """Two plates in one file; a line without numbers; a box beside the picture."""
    write(root / "br/a.txt", "a.jpg\t20\t30\t60\t20\tAYO9034\na.jpg\t90\t80\t50\t16\tJIB 2345\nnonsense\n")
    write(root / "us/b.txt", "b.png\t200\t30\t60\t20\tABC123\n")
    a_picture(root / "br/a.jpg")
    a_picture(root / "us/b.png")
    return Expected(
        {"a.jpg": [((20, 30, 80, 50), "AYO9034"), ((90, 80, 140, 96), "JIB2345")]},
        {"separators dropped": 1, "broken label": 1, "box outside": 1, "no usable plate": 1},
        {"a.jpg": {"country": "br"}},
    )


def fast_plate_ocr(root: Path) -> Expected:
    """A byte-order mark, padding as the plate YAML has it, a region, a missing picture, an empty text, a text longer than the slots."""
    rows = ("image_path,plate_text,plate_region", "imgs/a.png,ABC123___,Germany", "imgs/b.png,ÜB-123,Atlantis", "imgs/none.png,XYZ1,", "imgs/c.png,,")
    write(root / "annotations.csv", "\n".join([*rows, "imgs/d.png,ABCDE123456,"]), "utf-8-sig")
    write(root / "plate.yaml", "max_plate_slots: 9\nalphabet: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_'\npad_char: '_'\n")
    for name in "abcd":
        a_picture(root / f"imgs/{name}.png", 90, 30)
    whole = (0, 0, 90, 30)
    return Expected(
        {"a.png": [(whole, "ABC123")], "b.png": [(whole, "UB123")], "d.png": [(whole, "ABCDE123456")]},
        {"unknown region": 1, "missing picture": 1, "no text": 1, "breaks its own rules": 2, "accents dropped": 1, "separators dropped": 1},
        {"a.png": {"crop": True}},
    )


def csv_boxes(root: Path) -> Expected:
    """Two rows of one picture, another class, a number that is none."""
    rows = f"filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,{WIDTH},{HEIGHT},plate,10,20,70,40\na.jpg,{WIDTH},{HEIGHT},plate,80,60,150,85\n"
    write(
        root / "labels.csv",
        rows + f"b.jpg,{WIDTH},{HEIGHT},plate,1,2,x,9\na.jpg,{WIDTH},{HEIGHT},car,0,0,99,99\nc.jpg,{2 * WIDTH},{2 * HEIGHT},plate,20,40,140,80\n",
    )
    for name in "abc":
        a_picture(root / f"pictures/{name}.jpg")
    return Expected(
        {"a.jpg": [((10, 20, 70, 40), None), ((80, 60, 150, 85), None)], "c.jpg": [((10, 20, 70, 40), None)]},
        {"broken label": 1, "no label": 1, "other class": 1, "scaled": 1},
    )


def uc3m(root: Path) -> Expected:
    """The text from the boxes of the characters, and a plate of two lines."""
    one = [{"char_id": c, "bbox_coord": [[22 + 8 * i, 32], [29 + 8 * i, 48]]} for i, c in enumerate("1234BCD")]
    two = [{"char_id": c, "bbox_coord": [[22 + 8 * (i % 4), 30 + 18 * (i > 3)], [29 + 8 * (i % 4), 46 + 18 * (i > 3)]]} for i, c in enumerate("5678FGH")]
    write(root / "a.json", json.dumps({"lps": [{"lp_id": 0, "poly_coord": [[20, 30], [80, 31], [80, 50], [20, 49]], "characters": one[::-1]}]}))
    write(root / "b.json", json.dumps({"lps": [{"lp_id": 0, "poly_coord": [[20, 28], [60, 28], [60, 68], [20, 68]], "characters": two}]}))
    a_picture(root / "a.jpg")
    a_picture(root / "b.jpg")
    return Expected({"a.jpg": [((20, 30, 80, 50), "1234BCD")], "b.jpg": [((20, 28, 60, 68), "5678FGH")]}, rows={"a.jpg": {"country": "es"}})


def nomeroff(root: Path) -> Expected:
    """Cyrillic letters for the Latin ones that they look like."""
    write(root / "ann/a.json", json.dumps({"description": "АС4921СВ", "name": "a", "region_id": 1, "count_lines": 1}))
    write(root / "ann/b.json", json.dumps({"name": "b"}) + '"description"')
    a_picture(root / "img/a.png", 90, 30)
    return Expected({"a.png": [((0, 0, 90, 30), "AC4921CB")]}, {"transliterated": 1, "broken label": 1}, {"a.png": {"crop": True}})


def yolo(root: Path) -> Expected:
    """An empty file, rounding beyond the edge, an outline, key points, a broken line, px instead of fractions, and no mixing of train and test."""
    write(root / "data.yaml", "path: ../datasets/x\ntrain: train/images\nnc: 2\nnames:\n  0: car\n  1: License_Plate\n")
    write(root / "train/labels/a.txt", "1 0.5 0.5 0.25 0.1\n0 0.5 0.5 0.9 0.9\n1 0.9 0.25 0.2001 0.1\n1 nonsense\n")
    write(root / "train/labels/empty.txt", "")
    write(root / "train/labels/outline.txt", "1 0.2 0.3 0.6 0.32 0.6 0.5 0.2 0.48\n")
    write(root / "train/labels/points.txt", "1 0.4 0.4 0.4 0.2 0.2 0.3 0.6 0.3 0.6 0.5 0.2 0.5\n")
    write(root / "train/labels/px.txt", "1 80 60 40 12\n")
    write(root / "train/labels/other.txt", "1 0.5 0.5 0.2 0.1\n")
    write(root / "README.roboflow.txt", "exported 1 2 3")
    for name in ("a", "empty", "outline", "points", "px"):
        a_picture(root / f"train/images/{name}.jpg")
    a_picture(root / "test/images/other.jpg")
    return Expected(
        {
            "a.jpg": [((60, 54, 100, 66), None), ((128, 24, 160, 36), None)],
            "empty.jpg": [],
            "outline.jpg": [((32, 36, 96, 60), None)],
            "points.jpg": [((32, 36, 96, 60), None)],
        },
        {"other class": 1, "broken label": 2, "no usable plate": 1, "missing picture": 1, "no label": 1},
        {"empty.jpg": {"negative": True}},
    )


def tao(root: Path) -> Expected:
    """A character that its own list has not; two lines in a file."""
    for name, words in (("0001", "ABC123\n"), ("0002", "QQ 7777"), ("0003", "AB1\nCD2\n")):
        write(root / f"labels/{name}.txt", words)
        a_picture(root / f"images/{name}.jpg", 96, 48)
    write(root / "characters_list.txt", "\n".join("ABCDEF 1237"))
    whole = (0, 0, 96, 48)
    return Expected({"0001.jpg": [(whole, "ABC123")], "0002.jpg": [(whole, "QQ7777")]}, {"breaks its own rules": 1, "separators dropped": 1, "broken label": 1})


def paddleocr(root: Path) -> Expected:
    write(root / "train.txt", "train/a.jpg\tABC 123\ntrain/b.jpg\tقنص\nbroken\n")
    for name in "ab":
        a_picture(root / f"train/{name}.jpg", 96, 32)
    return Expected({"a.jpg": [((0, 0, 96, 32), "ABC123")]}, {"separators dropped": 1, "broken label": 1, "outside the alphabet": 1, "no text": 1})


def file_names(root: Path) -> Expected:
    """A number behind the text for another picture of the same plate, a Chinese province, a name that is no text."""
    for name in ("AB12CDE", "AB12CDE_1", "京PL3N67", "XYZ 123", "8KLM777", "this is no plate at all"):
        a_picture(root / f"{name}.jpg", 96, 32)
    whole = (0, 0, 96, 32)
    plates = {"AB12CDE": "AB12CDE", "AB12CDE_1": "AB12CDE", "京PL3N67": "PL3N67", "XYZ 123": "XYZ123", "8KLM777": "8KLM777"}
    return Expected({f"{name}.jpg": [(whole, text)] for name, text in plates.items()}, {"glyphs left out": 1, "separators dropped": 1, "no label": 1})


BUILDERS = {
    "native": native, "coco": coco, "voc": voc, "ccpd": ccpd, "ufpr": ufpr, "openalpr": openalpr, "fast-plate-ocr": fast_plate_ocr, "csv-boxes": csv_boxes,
    "uc3m": uc3m, "nomeroff": nomeroff, "yolo": yolo, "tao": tao, "paddleocr": paddleocr, "file-names": file_names,
}  # fmt: skip


def gathered(root: Path, name: str, told: Told | None = None, wishes: Wishes | None = None) -> tuple[dict[str, Sample], Counter[str]]:
    """Samples by the picture's name, and how often each reason was given."""
    samples, remarks = gather(Tree(root), name, wishes or Wishes(), told or Told(root.name), Looks(None), 1, lambda items, _: items)
    return {sample.path.name: sample for sample in samples}, counted(remarks)


def test_every_format_has_a_set_to_be_tried_on():
    assert set(BUILDERS) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_recognised(tmp_path, name):
    """Without being told, and for itself alone."""
    BUILDERS[name](tmp_path)
    assert recognise(Tree(tmp_path)).name == name


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_imported_with_its_traps(tmp_path, name):
    """Every plate that can be used, every text as the alphabet has it, and every loss counted by its reason."""
    expected = BUILDERS[name](tmp_path)
    samples, reasons = gathered(tmp_path, name)
    found = {name: [(tuple(round(value) for value in plate["box"]), plate["text"]) for plate in sample.row["plates"]] for name, sample in samples.items()}
    assert found == expected.plates
    assert reasons == expected.reasons
    for picture, keys in expected.rows.items():
        assert {key: samples[picture].row.get(key) for key in keys} == keys


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_imported_is_written_and_read_back_the_same(tmp_path, name):
    """By `read_folder`: the same boxes, corners and texts, none lost and none added."""
    BUILDERS[name](tmp_path / "in")
    samples, _ = gathered(tmp_path / "in", name)
    sides = [place % 3 for place in range(len(samples))]
    write_pictures(tmp_path / "out", list(samples.values()), sides, link=False, crops=False, each=iter)
    images = [image for labels in (tmp_path / "out").rglob("labels.jsonl") for image in read_folder(labels.parent)]
    assert len(images) == len(samples)

    def told(box: Any, corners: Any, text: str | None) -> tuple[Any, ...]:
        return tuple(box), tuple(map(tuple, corners)) if corners else None, text

    back = sorted(
        (told((p.box.x0, p.box.y0, p.box.x1, p.box.y1), p.quad.points if p.quad else None, p.text) for image in images for p in image.plates), key=repr
    )
    there = sorted((told(map(float, p["box"]), p["corners"], p["text"]) for sample in samples.values() for p in sample.row["plates"]), key=repr)
    assert repr(back) == repr(there)
    for image in images:
        height, width = cv2.imread(str(image.path)).shape[:2]
        assert (image.width, image.height) == (width, height)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_what_it_is(name):
    assert len(importer(name).HELP) > 20


def test_ccpd_corners_begin_at_the_top_left(tmp_path):
    """Its vertices begin at the bottom right."""
    ccpd(tmp_path)
    samples, _ = gathered(tmp_path, "ccpd")
    (plate,) = next(sample for name, sample in samples.items() if name.startswith("025")).row["plates"]
    assert plate["corners"] == [[154, 383], [363, 402], [386, 473], [177, 454]]
    assert plate["partial"] is True


def test_a_motorcycle_has_two_lines(tmp_path):
    ufpr(tmp_path)
    samples, _ = gathered(tmp_path, "ufpr")
    assert {name: sample.row["plates"][0].get("lines") for name, sample in samples.items()} == {"track0091[01].png": 2, "b.png": None, "c.jpg": 1}


def test_characters_that_are_classes_spell_the_text(tmp_path):
    """Sets of a plate and its characters: from left to right, the upper line first."""
    boxes = [f"{index} {0.2 + 0.1 * (index % 3):.2f} {0.3 if index < 3 else 0.45} 0.08 0.1" for index in (5, 4, 3, 2, 1, 0)]
    write(tmp_path / "data.yaml", "names: [A, B, C, D, E, '7', plate]\n")
    write(tmp_path / "labels/x.txt", "\n".join([*boxes, "6 0.3 0.375 0.4 0.4"]))
    a_picture(tmp_path / "images/x.jpg")
    samples, _ = gathered(tmp_path, "yolo")
    (plate,) = samples["x.jpg"].row["plates"]
    assert (plate["text"], plate["lines"]) == ("ABCDE7", 2)


@pytest.mark.parametrize(
    ("words", "wishes", "complaint"),
    [
        ("names: [car, person]", (), "says that it is a plate"),
        ("names: [car, plate]", ("lorry",), r"no such class"),
        ("names: [car", (), r"data.yaml:\d+: not YAML"),
    ],
)
def test_classes_that_tell_nothing_are_asked_for(tmp_path, words, wishes, complaint):
    write(tmp_path / "data.yaml", words)
    write(tmp_path / "labels/x.txt", "0 0.5 0.5 0.1 0.1\n")
    a_picture(tmp_path / "images/x.jpg")
    with pytest.raises(FormatError, match=complaint):
        gathered(tmp_path, "yolo", wishes=Wishes(wishes))


def test_predictions_are_told_from_labels(tmp_path):
    write(tmp_path / "labels/x.txt", "0 0.5 0.5 0.2 0.1 0.87\n")
    a_picture(tmp_path / "images/x.jpg")
    assert gathered(tmp_path, "yolo")[1] == {"looks predicted": 1}


def test_two_pictures_of_one_name_are_no_guess(tmp_path):
    """A label that could mean either means none."""
    write(tmp_path / "labels/x.txt", "0 0.5 0.5 0.2 0.1\n")
    a_picture(tmp_path / "day/x.jpg")
    a_picture(tmp_path / "night/x.jpg")
    samples, reasons = gathered(tmp_path, "yolo")
    assert (samples, reasons) == ({}, {"missing picture": 1, "no label": 2})


def test_names_that_could_be_texts_do_not_outvote_labels(tmp_path):
    """Where only some pictures are labelled yet."""
    for name in ("AB12CDE", "XYZ123", "8KLM777"):
        a_picture(tmp_path / f"{name}.jpg")
    write(tmp_path / "XYZ123.txt", "0 0.5 0.5 0.2 0.1")
    found = recognise(Tree(tmp_path))
    assert (found.name, found.others) == ("yolo", (("file-names", 3),))


def test_a_value_of_the_wrong_kind_is_a_broken_label(tmp_path):
    """And no traceback."""
    rows = [
        {"image": "a.jpg", "width": WIDTH, "height": HEIGHT, "plates": plates} for plates in ([{"box": [1, 2, 30, 9], "text": 7}], [{"box": [1, 2]}], ["x"], 3)
    ]
    write(tmp_path / "one/labels.jsonl", "\n".join(map(json.dumps, [*rows, 5, rows[0] | {"width": "x", "plates": []}])))
    a_picture(tmp_path / "one/a.jpg")
    assert gathered(tmp_path / "one", "native")[1]["broken label"] == 6
    annotation = {"image_id": 1, "category_id": 1, "bbox": [20, 30, 40, 20], "segmentation": [["x"] * 6]}
    whole = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [annotation, 7, {"image_id": [], "category_id": 1}],
        "categories": [{"id": 1, "name": "plate"}],
    }
    write(tmp_path / "two/a.json", json.dumps(whole))
    a_picture(tmp_path / "two/a.jpg")
    assert gathered(tmp_path / "two", "coco")[1] == {"broken label": 3, "no usable plate": 1}


def test_a_link_that_leads_nowhere_is_a_missing_picture(tmp_path):
    write(tmp_path / "annotations.csv", "image_path,plate_text\na.png,AB12\nb.png,CD34\n")
    a_picture(tmp_path / "a.png", 90, 30)
    (tmp_path / "b.png").symlink_to(tmp_path / "gone.png")
    assert gathered(tmp_path, "fast-plate-ocr")[1] == {"missing picture": 1}


def test_a_cameras_file_names_are_no_texts(tmp_path):
    for number in range(8):
        a_picture(tmp_path / f"DSC0{1000 + number}.jpg")
    with pytest.raises(FormatError, match="8 pictures, but no labels"):
        recognise(Tree(tmp_path))


@pytest.mark.parametrize(("what", "complaint"), [("none", "no such file or folder"), ("empty", "no picture in it"), ("x.jpg", "is a picture")])
def test_a_folder_that_is_none_is_said(tmp_path, what, complaint):
    (tmp_path / "empty").mkdir()
    a_picture(tmp_path / "x.jpg")
    with pytest.raises(FormatError, match=complaint):
        Tree(tmp_path / what)


def test_one_label_file_alone_may_be_named(tmp_path):
    coco(tmp_path)
    yolo(tmp_path)
    assert recognise(Tree(tmp_path / "annotations/instances.json")).name == "coco"
