"""From labels to a checked, split set: what is mended, what is dropped, what is refused, and what happens the second time."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from edge.vision.image import load_image
from edge.vision.reader_codec import MAX_LENGTH
from tests.unit.test_formats import HEIGHT, WIDTH, a_picture, gathered, write
from train.cli import main
from train.data.formats.native import find_folders, read_folder
from train.data.formats.reasons import REASONS
from train.data.prepare import plot, run
from train.data.prepare.check import Told
from train.data.prepare.facts import probe
from train.data.prepare.places import place, turned
from train.data.prepare.split import SIDES, parse
from train.data.prepare.texts import clean

ROOT = Path(__file__).parents[2]


def a_set(root: Path, number: int = 12, **more: object) -> Path:
    """A native set of photographs with one plate each, two pictures of each text."""
    rows = []
    for index in range(number):
        a_picture(root / f"images/{index:03d}.jpg")
        plate = {"box": [20, 30, 100, 50], "text": f"AB{index // 2:02d}XYZ"}
        rows.append({"image": f"images/{index:03d}.jpg", "width": WIDTH, "height": HEIGHT, "plates": [plate], **more})
    write(root / "labels.jsonl", "\n".join(map(json.dumps, rows)))
    return root


@pytest.fixture(autouse=True)
def _without_plots(monkeypatch):
    """Matplotlib takes longer than all the rest; one test has it drawn."""
    monkeypatch.setattr(run, "plot", lambda path, figures: path.write_bytes(b"drawn"))


def prepare(*words: object) -> int:
    return main(["prepare", *map(str, words), "--threads", "1"])


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# Texts


@pytest.mark.parametrize(
    ("written", "text", "reasons"),
    [
        ("AB12CDE", "AB12CDE", ()),
        ("ab 12-cde", "AB12CDE", ("separators dropped",)),
        ("В 001 ХО 77", "B001XO77", ("transliterated", "separators dropped")),
        ("ΖΗΙ-1234", "ZHI1234", ("transliterated", "separators dropped")),
        ("ＡＢ１２", "AB12", ("transliterated",)),
        ("MÜ-X 12", "MUX12", ("accents dropped", "separators dropped")),
        ("GÖ\u0308 1", "GO1", ("accents dropped", "separators dropped")),
        ("京A·12345", "A12345", ("separators dropped", "glyphs left out")),
        ("AB?2CDE", "AB2CDE", ("glyphs left out",)),
        ("Ж123ЖЖЖЖ", None, ("outside the alphabet",)),
        ("unknown", None, ("no text meant",)),
        ("N/A", None, ("no text meant",)),
        ("un known", None, ("no text meant",)),
        ("---", None, ("no text meant",)),
        ("A" * (MAX_LENGTH + 1), None, ("text too long",)),
        ("A" * MAX_LENGTH, "A" * MAX_LENGTH, ()),
        ("", None, ()),
        (None, None, ()),
    ],
)
def test_a_text_comes_out_in_the_alphabet_and_every_change_is_told(written, text, reasons):
    found = clean(written)
    assert (found.text, found.reasons) == (text, reasons)
    assert found.partial == ("glyphs left out" in reasons)


def test_a_letter_that_would_become_two_is_left_out():
    """`ß` in capitals is SS, and no plate says so."""
    assert clean("ABß12").text == "AB12"


# Places


@pytest.mark.parametrize(
    ("box", "inside", "reasons"),
    [
        ((10, 20, 60, 40), (10, 20, 60, 40), ()),
        ((60, 40, 10, 20), (10, 20, 60, 40), ("box turned round",)),
        ((-1, 20, 60, 40), (0, 20, 60, 40), ()),
        ((-10, 20, 60, 40), (0, 20, 60, 40), ("box clipped",)),
        ((-60, 20, 40, 40), None, ("box outside",)),
        ((300, 20, 400, 40), None, ("box outside",)),
        ((10, 20, 11, 40), None, ("empty box",)),
        ((10, 20, float("nan"), 40), None, ("empty box",)),
    ],
)
def test_a_box_is_brought_inside_or_refused_with_its_reason(box, inside, reasons):
    found = place(box, (), False, 100, 80)
    assert (found.box and (found.box.x0, found.box.y0, found.box.x1, found.box.y1), found.reasons) == (inside, reasons)


@pytest.mark.parametrize(
    ("polygon", "corners", "reasons"),
    [
        (((10, 20), (60, 22), (60, 42), (10, 40)), ((10, 20), (60, 22), (60, 42), (10, 40)), ()),
        (((60, 42), (10, 40), (10, 20), (60, 22)), ((10, 20), (60, 22), (60, 42), (10, 40)), ("corners reordered",)),
        (((10, 20), (60, 22), (10, 40), (60, 42)), ((10, 20), (60, 22), (60, 42), (10, 40)), ("corners reordered",)),
        (((10, 20), (35, 21), (60, 22), (60, 42), (35, 41), (10, 40)), ((10, 20), (60, 22), (60, 42), (10, 40)), ()),
        (((30, 10), (50, 30), (30, 50), (10, 30), (16, 16), (44, 16), (44, 44), (16, 44)), None, ("polygon without corners",)),
        (((10, 20), (60, 20), (90, 20)), None, ("degenerate polygon",)),
        (((10, 20), (10, 20), (10, 20), (10, 20)), None, ("degenerate polygon",)),
        (((-20, 20), (60, 22), (60, 42), (-20, 40)), None, ("box clipped", "corners dropped")),
    ],
)
def test_an_outline_becomes_four_corners_or_says_why_not(polygon, corners, reasons):
    found = place(None, polygon, False, 100, 80)
    assert (found.corners, found.reasons) == (corners, reasons)
    assert (found.box is None) == (reasons == ("degenerate polygon",))


def test_corners_that_are_in_order_stay_as_they_are_read():
    """A plate upside down begins at its own top-left corner, not at the picture's."""
    upside_down = ((60.0, 42.0), (10.0, 40.0), (10.0, 20.0), (60.0, 22.0))
    assert place((10, 20, 60, 42), upside_down, True, 100, 80).corners == upside_down


# Pictures


def a_turned_picture(path: Path, orientation: int, kind: str = "JPEG") -> Path:
    """WIDTH x HEIGHT as stored; a white patch at 20..60, 30..50 as stored."""
    stored = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    stored[30:50, 20:60] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    data = io.BytesIO()
    Image.fromarray(stored).save(data, kind, exif=exif)
    path.write_bytes(data.getvalue())
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_point_turns_as_the_picture_does(tmp_path, orientation):
    """Each of the eight EXIF orientations, against OpenCV's own turning."""
    luma, _ = load_image(a_turned_picture(tmp_path / "x.png", orientation, "PNG"))
    ys, xs = np.nonzero(luma > 200)
    (ax, ay), (bx, by) = turned((20, 30), orientation, WIDTH, HEIGHT), turned((60, 50), orientation, WIDTH, HEIGHT)
    assert (min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)) == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
    facts = probe(tmp_path / "x.png")
    assert (facts.orientation, facts.stored, (facts.width, facts.height)) == (orientation, (WIDTH, HEIGHT), luma.shape[::-1])


def test_labels_of_a_turned_photograph_turn_with_it(tmp_path):
    """Where the label's own size tells that it was drawn on the picture as stored; the picture is written upright."""
    a_turned_picture(tmp_path / "in/x.jpg", 6)
    annotation = {"image_id": 1, "category_id": 1, "bbox": [20, 30, 40, 20]}
    image = {"id": 1, "file_name": "x.jpg", "width": WIDTH, "height": HEIGHT}
    write(tmp_path / "in/x.json", json.dumps({"images": [image], "annotations": [annotation], "categories": [{"id": 1, "name": "plate"}]}))
    assert prepare(tmp_path / "in", "--out", tmp_path / "out") == 0
    (row,) = read_folder(tmp_path / "out/train/in")
    luma, _ = load_image(row.path)
    assert luma.shape == (row.height, row.width) == (WIDTH, HEIGHT)
    box = row.plates[0].box
    assert (box.x0, box.y0, box.x1, box.y1) == (HEIGHT - 50, 20, HEIGHT - 30, 60)
    assert luma[int(box.y0) + 2 : int(box.y1) - 2, int(box.x0) + 2 : int(box.x1) - 2].min() > 200
    assert probe(row.path).orientation == 1
    assert {row["reason"] for row in lines(tmp_path / "out/notes.jsonl")} == {"turned", "odd shape", "written upright"}


@pytest.mark.parametrize(("exif", "box"), [("upright", [48, 60, 72, 100]), ("stored", [54, 64, 66, 96])])
def test_where_nothing_tells_the_side_up_the_user_does(tmp_path, exif, box):
    """YOLO knows fractions alone: a quarter wide and a sixth high on the side that is said."""
    a_turned_picture(tmp_path / "images/x.jpg", 6)
    write(tmp_path / "labels/x.txt", "0 0.5 0.5 0.2 0.25\n" if exif == "upright" else "0 0.5 0.5 0.2 0.1\n")
    samples, reasons = gathered(tmp_path, "yolo", Told("x", exif=exif))
    assert reasons == {"orientation unknown": 1, "written upright": 1, **({"odd shape": 1} if exif == "stored" else {})}
    assert samples["x.jpg"].row["plates"][0]["box"] == box


@pytest.mark.parametrize(("name", "kept"), [("x.bmp", "png"), ("x.webp", "jpg"), ("x.tif", "png"), ("x.jpg", "jpg"), ("x.png", "png")])
def test_only_what_is_no_jpeg_or_png_is_written_anew(tmp_path, name, kept):
    a_set(tmp_path / "in", 1)
    (tmp_path / "in/images/000.jpg").unlink()
    picture = a_picture(tmp_path / "in/images" / name)
    labels = tmp_path / "in/labels.jsonl"
    labels.write_text(labels.read_text().replace("000.jpg", name))
    assert prepare(tmp_path / "in", "--out", tmp_path / "out") == 0
    (row,) = read_folder(tmp_path / "out/train/in")
    assert row.path.suffix == f".{kept}"
    assert (row.path.read_bytes() == picture.read_bytes()) == (name in ("x.jpg", "x.png"))
    difference = np.abs(load_image(row.path)[0].astype(int) - load_image(picture)[0]).max()
    assert difference <= (8 if name == "x.webp" else 0)


@pytest.mark.parametrize(("damage", "reason"), [(b"", "undecodable picture"), (b"not a picture", "undecodable picture"), (None, "undecodable picture")])
def test_a_picture_that_cannot_be_decoded_is_counted(tmp_path, damage, reason):
    """Empty, something else, or cut short."""
    a_set(tmp_path, 2)
    victim = tmp_path / "images/000.jpg"
    victim.write_bytes(victim.read_bytes()[:-200] if damage is None else damage)
    samples, reasons = gathered(tmp_path, "native")
    assert (list(samples), reasons) == (["001.jpg"], {reason: 1})


def test_labels_of_another_shape_than_the_picture_are_refused(tmp_path):
    """Stretched, nobody knows how."""
    a_set(tmp_path, 2)
    a_picture(tmp_path / "images/000.jpg", 100, 100)
    assert gathered(tmp_path, "native")[1] == {"size differs": 1}


def test_a_plate_cut_off_keeps_its_box_and_loses_its_text(tmp_path):
    """And what is mostly outside becomes a place to ignore, beside a plate that is not."""
    plates = [{"box": [120, 30, 172, 50], "text": "AB12CDE"}, {"box": [-50, 70, 20, 90], "text": "XY1"}, {"box": [1, 1, 60, 20], "text": "CD34"}]
    write(tmp_path / "labels.jsonl", json.dumps({"image": "a.jpg", "width": WIDTH, "height": HEIGHT, "plates": plates}))
    a_picture(tmp_path / "a.jpg")
    samples, reasons = gathered(tmp_path, "native")
    row = samples["a.jpg"].row
    assert [plate["text"] for plate in row["plates"]] == [None, "CD34"]
    assert row["ignore"] == [[0.0, 70.0, 20.0, 90.0]]
    assert reasons == {"box clipped": 1, "plate cut off": 1, "box outside": 1}


# Duplicates


def test_the_same_file_twice_is_kept_once_and_a_contradiction_not_at_all(tmp_path, capsys):
    a_set(tmp_path / "in", 4)
    for index in (0, 1):
        (tmp_path / f"in/images/00{index + 2}.jpg").write_bytes((tmp_path / f"in/images/00{index}.jpg").read_bytes())
    labels = tmp_path / "in/labels.jsonl"
    rows = lines(labels)
    rows[2]["plates"] = rows[0]["plates"]  # 002 is 000 over again; 003 has 001's picture with another text
    labels.write_text("\n".join(map(json.dumps, rows)))
    assert prepare(tmp_path / "in", "--out", tmp_path / "out", "--strict") == 1
    assert "3 labels, plates or pictures were dropped" in capsys.readouterr().err
    dropped = [(row["reason"], Path(row["picture"]).name) for row in lines(tmp_path / "out/dropped.jsonl")]
    assert sorted(dropped) == [("contradicting labels", "001.jpg"), ("contradicting labels", "003.jpg"), ("same file twice", "002.jpg")]


def three_looks(root: Path) -> Path:
    """One picture, a smaller and worse copy of it, and another; no texts."""
    a_set(root, 3)
    original = cv2.imread(str(a_picture(root / "images/000.jpg", 640, 480)))
    copy = cv2.resize(original, (448, 336), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(root / "images/001.jpg"), cv2.convertScaleAbs(copy, alpha=0.9, beta=8), [cv2.IMWRITE_JPEG_QUALITY, 60])
    a_picture(root / "images/002.jpg", 640, 480)
    rows = [row | {"plates": [{"box": [20, 30, 100, 50], "text": None}]} for row in lines(root / "labels.jsonl")]
    write(root / "labels.jsonl", "\n".join(map(json.dumps, rows)))
    return root


def test_pictures_that_look_alike_stay_on_one_side(tmp_path):
    """Smaller, darker, compressed harder: still the same photograph."""
    assert prepare(three_looks(tmp_path / "in"), "--out", tmp_path / "out", "--split", "34/33/33") == 0
    assert sorted(len(read_folder(folder)) for side in SIDES if (tmp_path / "out" / side).exists() for folder in find_folders([tmp_path / "out" / side])) == [
        1,
        2,
    ]
    assert [row["reason"] for row in lines(tmp_path / "out/notes.jsonl") if row["reason"] != "scaled"] == ["looks alike"]


def test_pictures_that_look_alike_are_dropped_if_asked(tmp_path):
    assert prepare(three_looks(tmp_path / "in"), "--out", tmp_path / "out", "--drop-near-duplicates") == 0
    assert [(row["reason"], row["picture"]) for row in lines(tmp_path / "out/dropped.jsonl")] == [("near-duplicate", "in/images/001.jpg")]


def test_plates_known_to_be_two_are_never_taken_for_one(tmp_path):
    """Cut-out plates of one country look alike to any small hash."""
    a_set(tmp_path / "in", 4)
    picture = cv2.imread(str(tmp_path / "in/images/000.jpg"))
    for index in range(4):
        cv2.imwrite(str(tmp_path / f"in/images/00{index}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 80 + index])
    assert prepare(tmp_path / "in", "--out", tmp_path / "out", "--split", "50/50") == 0
    assert [len(read_folder(tmp_path / "out" / side / "in")) for side in SIDES[:2]] == [2, 2]


# The command


def test_a_set_is_split_written_counted_and_shown(tmp_path, capsys, monkeypatch):
    """Nothing more than what the documentation names, and plates cut out for the reader beside the photographs."""
    monkeypatch.setattr(run, "plot", plot.draw)
    a_set(tmp_path / "in", 20, session="s")
    assert prepare(tmp_path / "in", "--out", tmp_path / "out", "--session", "none", "--licence", "CC0", "--country", "gb") == 0
    said = capsys.readouterr().out
    assert "native, about 20 pictures" in said
    assert "came to 80.0/10.0/10.0 % of 20 pictures in 10 groups" in said
    reports = {path.name for path in (tmp_path / "out").iterdir()}
    assert reports == {*SIDES, "dropped.jsonl", "notes.jsonl", "statistics.json", "statistics.png", "contact-sheet.png", "prepare.json"}
    figures = json.loads((tmp_path / "out/statistics.json").read_text())
    assert (figures["all"]["pictures"], figures["all"]["different_texts"], figures["country"]["gb"]["plates"]) == (20, 10, 20)
    assert (figures["characters"]["X"], figures["never_in_train"][-1]) == (20, "W")
    assert "Q" in figures["never_in_train"]
    whole, crops = read_folder(tmp_path / "out/train/in"), read_folder(tmp_path / "out/train/in_crops")
    assert len(whole) == len(crops) == 16
    assert (whole[0].source, whole[0].country, whole[0].session) == ("in", "gb", None)
    row = json.loads((tmp_path / "out/train/in/labels.jsonl").read_text().splitlines()[0])
    assert (row["licence"], row["origin"][:10]) == ("CC0", "in/images/")
    cut = load_image(crops[0].path)[0]
    box = crops[0].plates[0].box
    assert (crops[0].crop, cut.shape, box.width, box.height) == (True, (crops[0].height, crops[0].width), 80, 20)
    for name in ("contact-sheet.png", "statistics.png"):
        assert min(cv2.imread(str(tmp_path / "out" / name)).shape[:2]) > 300


def test_the_second_run_says_that_nothing_is_to_be_done(tmp_path, capsys):
    a_set(tmp_path / "in", 4)
    assert prepare(tmp_path / "in", "--out", tmp_path / "out") == 0
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()}
    capsys.readouterr()
    assert prepare(tmp_path / "in", "--out", tmp_path / "out") == 0
    assert "was prepared with these settings already" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()} == written


@pytest.mark.parametrize("stopped_in", ["looking", "writing"])
def test_a_run_that_was_stopped_goes_on_to_the_same_result(tmp_path, monkeypatch, stopped_in):
    """Whether it was looking at pictures or writing them; what was done is not done again."""
    a_set(tmp_path / "in", 12)
    assert prepare(tmp_path / "in", "--out", tmp_path / "whole") == 0

    def stopping(items, what):
        for number, item in enumerate(items):
            if what == stopped_in and number == 5:
                raise KeyboardInterrupt
            yield item

    monkeypatch.setattr(run, "progress", stopping)
    assert prepare(tmp_path / "in", "--out", tmp_path / "out") == 130
    done = [path for path in (tmp_path / "out").rglob("*.jpg")]
    looked = (tmp_path / "out/.looks.jsonl").read_text().count("\n")
    assert (len(done), looked) == ((0, 5) if stopped_in == "looking" else (10, 12))
    before = {path: path.stat().st_mtime_ns for path in done}
    monkeypatch.setattr(run, "progress", lambda items, _: items)
    assert prepare(tmp_path / "in", "--out", tmp_path / "out") == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before

    def content(root: Path) -> dict[str, bytes]:
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_links_share_the_picture_and_copies_do_not(tmp_path):
    a_set(tmp_path / "in", 1)
    original = (tmp_path / "in/images/000.jpg").stat().st_ino
    for flags, same in ((["--link"], True), ([], False)):
        assert prepare(tmp_path / "in", "--out", tmp_path / f"out{same}", *flags) == 0
        (row,) = read_folder(tmp_path / f"out{same}/train/in")
        assert (row.path.stat().st_ino == original) == same


def test_several_folders_are_merged_and_their_order_does_not_matter(tmp_path):
    """Also for the split: by what is in the groups, not by where they stand."""
    a_set(tmp_path / "one", 10)
    a_set(tmp_path / "two", 10)
    for number, path in enumerate(sorted((tmp_path / "two/images").iterdir())):
        a_picture(path.rename(path.with_name(f"other{number:03d}.jpg")))
    labels = tmp_path / "two/labels.jsonl"
    labels.write_text(labels.read_text().replace("images/", "images/other"))
    assert prepare(tmp_path / "one", tmp_path / "two", "--out", tmp_path / "a", "--no-crops") == 0
    assert prepare(tmp_path / "two", tmp_path / "one", "--out", tmp_path / "b", "--no-crops") == 0
    a, b = ({path.relative_to(root).as_posix() for path in root.rglob("*.jpg")} for root in (tmp_path / "a", tmp_path / "b"))
    assert a == b
    assert len(a) == 20
    sides = {}
    for folder in find_folders([*sorted((tmp_path / "a").glob("t*")), tmp_path / "a/validation"]):
        for image in read_folder(folder):
            sides.setdefault(image.plates[0].text, set()).add(folder.parent.name)
    assert len(sides) == 5
    assert all(len(side) == 1 for side in sides.values())


def test_a_licence_that_is_known_is_said(tmp_path, capsys):
    """Nobody shall find out afterwards that weights were trained on what is for research only."""
    write(tmp_path / "a.txt", "position_plate: 20 40 60 20\nplate: XYZ9876\n")
    a_picture(tmp_path / "a.png")
    assert prepare(tmp_path, "--check") == 0
    assert "for research only; --licence notes it" in capsys.readouterr().out
    assert prepare(tmp_path, "--check", "--licence", "research only") == 0
    assert "--licence" not in capsys.readouterr().out


def test_check_writes_nothing(tmp_path, capsys):
    a_set(tmp_path / "in", 4)
    before = sorted(tmp_path.rglob("*"))
    assert prepare(tmp_path / "in", "--check") == 0
    assert "Split train/validation/test" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["{in}"], "--out DIR or --check"),
        (["{in}", "--check", "--split", "80/30"], "percentages"),
        (["{in}", "--check", "--country", "Britain"], "ISO 3166"),
        (["{in}", "--check", "--session", "("], "not a regular expression"),
        (["{in}/none", "--check"], "no such file or folder"),
        (["{in}", "--out", "{in}/out"], "a run would read what it writes"),
        (["{in}", "--out", "{tmp}/full"], "holds something already"),
        (["{in}", "--out", "{tmp}/full/file"], "is a file"),
        (["{in}", "--out", "{tmp}/out", "--seed", "2"], "seed was 1 and is 2"),
        (["{in}", "--check", "--format", "coco"], "no picture is left"),
    ],
)
def test_a_users_mistake_is_one_sentence(tmp_path, capsys, words, complaint):
    """On stderr, exit 1, no traceback; and what is there stays as it is."""
    a_set(tmp_path / "in", 2)
    write(tmp_path / "full/file", "mine")
    if "{tmp}/out" in words:
        assert prepare(tmp_path / "in", "--out", tmp_path / "out") == 0
        capsys.readouterr()
    assert prepare(*(word.format(**{"in": tmp_path / "in", "tmp": tmp_path}) for word in words)) == 1
    said = capsys.readouterr().err
    assert said.startswith("train: ")
    assert said.count("\n") == 1
    assert complaint in said
    assert (tmp_path / "full/file").read_text() == "mine"


def test_labels_that_changed_since_are_not_mixed_with_what_was_written(tmp_path, capsys):
    a_set(tmp_path / "in", 2)
    assert prepare(tmp_path / "in", "--out", tmp_path / "out") == 0
    a_set(tmp_path / "in", 4)
    assert prepare(tmp_path / "in", "--out", tmp_path / "out") == 1
    assert "have changed since" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "shares"), [("80/10/10", (0.8, 0.1, 0.1)), ("90/10", (0.9, 0.1, 0.0)), ("100", (1.0, 0.0, 0.0))])
def test_shares_may_leave_sides_out(words, shares):
    assert parse(words) == pytest.approx(shares)


def test_every_reason_is_documented_and_every_documented_reason_is_given():
    """docs/prepare.md has the table of reasons; the code gives no other and leaves none unused."""
    told = (ROOT / "docs/prepare.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([^`]+)` \| [a-z ]+ \| (.+) \|$", told, re.MULTILINE))
    assert rows == {reason: words for reason, (_, words) in REASONS.items()}
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "train/data").rglob("*.py") if path.name != "reasons.py")
    assert [reason for reason in REASONS if f'"{reason}"' not in code] == []
