"""What the generator promises to training: true texts, true corners, the same picture for the same seed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.plates.rules import countries, matches
from train.data.synth.fonts import FONTS, available, report
from train.data.synth.glyphs import GLYPHS
from train.data.synth.plates import DrawnPlate, PlateArtist
from train.data.synth.scenes import SceneArtist, paste
from train.data.synth.strokes import MASTER, PAD, Style, stroke_field
from train.data.synth.vehicles import KINDS, draw_vehicle
from train.data.synth.wear import photograph
from train.data.synth.wording import READABLE, read, write

CODES = [code for code, country in countries().items() if not country.generic]


@pytest.fixture(scope="module")
def artist() -> PlateArtist:
    return PlateArtist()


@pytest.fixture(scope="module")
def plate() -> DrawnPlate:
    return PlateArtist(["de"]).draw(np.random.default_rng(3))


def test_the_stroke_font_has_every_character() -> None:
    assert set(GLYPHS) == set(READABLE)


@pytest.mark.parametrize("char", READABLE)
def test_every_glyph_has_ink_within_its_box(char: str) -> None:
    field = stroke_field(char, Style(pen=0.14, width=0.58, roundness=0.45, soft=False, mono=True))
    assert field.shape[0] == MASTER + 2 * PAD
    share = float((field > 128).mean())
    assert 0.04 < share < 0.6
    assert (field[0] < 128).all()


def test_different_characters_differ() -> None:
    style = Style(pen=0.14, width=0.58, roundness=0.4, soft=False, mono=True)
    fields = {char: cv2.resize(stroke_field(char, style), (40, 60)) for char in READABLE}
    # O and 0 are one shape on many plates, and so they are here.
    twins = {("O", "0")}
    for a in READABLE:
        for b in READABLE[READABLE.index(a) + 1 :]:
            if (a, b) not in twins:
                assert np.abs(fields[a].astype(int) - fields[b]).mean() > 2, (a, b)


@pytest.mark.parametrize("code", CODES)
def test_what_a_format_writes_it_matches(code: str) -> None:
    rng = np.random.default_rng(5)
    for form in countries()[code].formats:
        for _ in range(20):
            lines = write(rng, form)
            assert len(lines) == form.lines
            assert form.fits(read(lines)), (form.pattern, lines)


@pytest.mark.parametrize("code", CODES)
def test_each_country_can_be_drawn(artist: PlateArtist, code: str) -> None:
    plate = artist.draw(np.random.default_rng(9), code)
    assert plate.country == code
    assert plate.luma.dtype == np.uint8
    assert plate.luma.std() > 5
    assert set(plate.text) <= set(READABLE)
    if all(form.rule for form in countries()[code].formats):
        assert matches(plate.text, code)


def test_the_same_seed_draws_the_same_plate(artist: PlateArtist) -> None:
    first, second = (artist.draw(np.random.default_rng(11)) for _ in range(2))
    assert first.text == second.text
    assert np.array_equal(first.luma, second.luma)


def test_heights_texts_and_shares_are_as_promised(artist: PlateArtist) -> None:
    rng = np.random.default_rng(13)
    plates = [artist.draw(rng) for _ in range(400)]
    assert all(110 <= p.luma.shape[0] <= (130 if p.lines == 1 else 165) for p in plates)
    assert all(1 <= len(p.text) <= 10 for p in plates)
    assert 0.2 < np.mean([p.lines == 2 for p in plates]) < 0.38
    assert 0.27 < np.mean([p.country == "xx" for p in plates]) < 0.44


def test_a_blank_says_nothing(artist: PlateArtist) -> None:
    rng = np.random.default_rng(17)
    assert [artist.draw_blank(rng).text for _ in range(20)] == [""] * 20


@pytest.mark.parametrize("size", [(48, 128), (64, 192)])
def test_a_photograph_has_the_size_asked_for(plate: DrawnPlate, size: tuple[int, int]) -> None:
    picture = photograph(np.random.default_rng(19), plate, size)
    assert picture.shape == size
    assert picture.dtype == np.uint8


def test_the_same_seed_takes_the_same_photograph(plate: DrawnPlate) -> None:
    first, second = (photograph(np.random.default_rng(23), plate) for _ in range(2))
    assert np.array_equal(first, second)


def test_a_photograph_leaves_the_plate_alone(plate: DrawnPlate) -> None:
    before = plate.luma.copy()
    photograph(np.random.default_rng(29), plate)
    assert np.array_equal(plate.luma, before)


def test_corners_lie_in_the_scene_and_run_clockwise(artist: PlateArtist) -> None:
    scenes, rng = SceneArtist(artist), np.random.default_rng(31)
    found = 0
    for _ in range(25):
        picture, truths = scenes.draw(rng)
        assert picture.shape == (320, 416)
        assert len(truths) <= 5
        for truth in truths:
            found += 1
            x, y = truth.quad[:, 0], truth.quad[:, 1]
            assert truth.quad.min() >= -0.5
            assert x.max() <= 416.5
            assert y.max() <= 320.5
            # With y downwards, a positive shoelace sum is clockwise.
            assert float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) > 0
            assert truth.lines in (1, 2)
    assert found > 10


def test_a_scene_can_stand_on_a_given_picture(artist: PlateArtist) -> None:
    background = np.full((100, 150), 90, np.uint8)
    picture, _ = SceneArtist(artist).draw(np.random.default_rng(37), (160, 208), background)
    assert picture.shape == (160, 208)
    assert (background == 90).all()


def test_a_pasted_plate_changes_only_its_place(plate: DrawnPlate) -> None:
    luma = np.full((240, 320), 120, np.uint8)
    picture, truth = paste(np.random.default_rng(41), luma, plate, width=90)
    changed = np.argwhere(picture != luma)
    assert len(changed) > 100
    low, high = truth.quad.min(0) - 10, truth.quad.max(0) + 10
    assert (changed[:, ::-1] >= low).all()
    assert (changed[:, ::-1] <= high).all()
    assert (luma == 120).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_vehicle_has_its_plate_within_its_outline(kind: str) -> None:
    vehicle = draw_vehicle(np.random.default_rng(43), 200, kind)
    x, y, width = vehicle.plate
    assert vehicle.mask[round(y), round(x)] == 255
    assert 0 < width < vehicle.mask.shape[1] / 2


def test_every_font_names_its_licence_and_the_report_counts_them() -> None:
    assert all(font.licence and font.source and font.families for font in FONTS)
    assert report().startswith(f"{len(available())} of {len(FONTS)}")
