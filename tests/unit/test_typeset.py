"""Where the generator puts characters: nothing of the text may be lost, and the groups keep their order."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.plates.rules import countries
from train.data.synth import furniture, signs, surface, wear
from train.data.synth.faces import families
from train.data.synth.layout import Setting, natural_width, set_line
from train.data.synth.plates import DrawnPlate, PlateArtist
from train.data.synth.typeset import _groups, set_lines
from train.data.synth.wording import _decided, write_anything


def _ink(line: str, look: dict[str, object], seed: int) -> np.ndarray:
    """Where there is ink of a line of black letters on white paper with nothing else on it, (120, 480) bool."""
    luma = np.full((120, 480), 255, np.uint8)
    keys = {"size": [480, 120], "char_mm": 70, "fonts": ["din"], "bolts": 0.0, **look}
    set_lines(np.random.default_rng(seed), luma, [line], keys, (10, 6, 470, 114), (255, 0), True)
    return luma < 100


@pytest.mark.parametrize("seed", range(12))
def test_a_stack_stands_at_the_left_of_the_rest_in_two_rows(seed: int) -> None:
    ink = _ink("MH 13 BN 4348", {"stack": [2, 0.43]}, seed)
    rows = ink[:, :90]
    middle = 60
    assert rows[:middle].any()
    assert rows[middle:].any()
    assert not rows[middle - 2 : middle + 2, : np.flatnonzero(rows.any(0))[0] + 30].all(0).any()


def test_groups_come_off_in_reading_order() -> None:
    assert _groups("MH 13 BN 4348", 2) == (["MH", "13"], "BN 4348")
    assert _groups("~A-BC.1", 1) == (["A"], "BC.1")


@pytest.mark.parametrize("look", [{}, {"free": 1.0}, {"tail": 0.72}, {"stack": [1, 0.4]}])
def test_no_character_is_cut_away(look: dict[str, object]) -> None:
    """Eight separate letters I leave at least eight runs of ink, whatever the hand."""
    for seed in range(25):
        ink = _ink("II III III", look, seed)
        parts = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
        tall = sum(area > 40 for area in parts[2][1:, cv2.CC_STAT_AREA])
        assert tall >= 8, (look, seed, tall)


def test_a_line_that_is_too_long_is_squeezed_into_its_box() -> None:
    field = np.zeros((80, 200), np.uint8)
    setting = Setting(families()["din"][0], 60.0, 1.0, 0.15)
    assert natural_width("MMMMMMMM", setting) > 180
    set_line(field, "MMMMMMMM", setting, (10, 5, 190, 75), 0.5)
    columns = np.flatnonzero((field > 128).any(0))
    assert columns[0] >= 8
    assert columns[-1] <= 192


def test_screws_never_touch_a_letter() -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        luma = np.full((100, 300), 200, np.uint8)
        furniture.side_screws(rng, luma, [(50.0, 50.0, 8.0), (200.0, 50.0, 20.0)])
        changed = np.flatnonzero((luma != 200).any(0))
        assert all(abs(x - 50) <= 8 or abs(x - 200) <= 20 for x in changed)


@pytest.mark.parametrize("script", sorted(signs.SCRIPTS))
def test_every_script_leaves_a_mark(script: str) -> None:
    luma = np.full((60, 60), 255, np.uint8)
    signs.SCRIPTS[script](np.random.default_rng(5), luma, (30, 30), 40, 48, 0)
    assert (luma < 100).sum() > 20


def test_every_file_asks_only_for_what_the_generator_knows() -> None:
    """A misspelt family, colour, script or list of words would end a training run at its first such plate."""
    for country in countries().values():
        for keys in (country.drawing, *(form.drawing for form in country.formats)):
            assert set(keys.get("fonts", [])) <= set(families()), country.code
            assert {name for pair in keys.get("colours", []) for name in pair[:2]} <= set(furniture.TONES), country.code
            assert keys.get("signs", "hanzi") in signs.SCRIPTS
            words = [keys.get("legends", {}).get(place, []) for place in ("top", "bottom")]
            assert all(word in furniture.WORDINGS for word in words if isinstance(word, str)), country.code


def test_in_texts_of_no_country_an_unexplained_o_or_i_is_rare() -> None:
    rng = np.random.default_rng(7)
    texts = ["".join(line) for line in (write_anything(rng, 1)[0] for _ in range(600))]
    lonely = sum(text.strip(" -.*:_")[:2] in ("0A", "O7", "1B", "I8") for text in texts)
    assert lonely < 6
    assert _decided(rng, "AOA") == "AOA"
    assert sum(_decided(rng, "8O8") == "8O8" for _ in range(200)) < 60


@pytest.fixture(scope="module")
def plates() -> list[DrawnPlate]:
    artist, rng = PlateArtist(), np.random.default_rng(11)
    return [artist.draw(rng) for _ in range(150)]


def test_a_turned_plate_comes_near_enough_to_be_read(plates: list[DrawnPlate]) -> None:
    rng = np.random.default_rng(13)
    for plate in plates:
        high, wide = plate.luma.shape
        quad = wear._near_enough(wear.corners_in_view(rng, 60.0, 60.0 * high / wide, 1.0), plate)
        across, down = wear._character(quad, plate)
        assert across > 5.99
        assert down > 9.99


def test_most_photographs_keep_a_contrast_that_can_be_read(plates: list[DrawnPlate]) -> None:
    rng = np.random.default_rng(17)
    spans = []
    for plate in plates:
        inner = wear.photograph(rng, plate)[10:-10, 20:-20]
        spans.append(float(np.percentile(inner, 95) - np.percentile(inner, 8)))
    assert float(np.mean(np.array(spans) < 12)) < 0.04


def test_a_rim_covers_no_more_than_a_little_of_the_edges() -> None:
    rng, high, wide = np.random.default_rng(19), 100, 400
    for _ in range(30):
        world = np.full((high + 40, wide + 40), 255, np.uint8)
        surface._rim(rng, world, (20, 20, 20 + wide, 20 + high), False)
        assert (world[20 + 9 : 20 + high - 9, 20 + 9 : 20 + wide - 9] == 255).all()
