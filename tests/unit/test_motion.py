"""What moves, where it counts, and which frames are looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.attention.attention import Attention
from edge.attention.motion import MotionGate, local_contrast, shares
from edge.attention.regions import Regions, area, checked, contains
from edge.attention.settings import MotionConfig, ViewConfig
from edge.camera.overview import overview
from edge.config import load
from edge.errors import ConfigError
from edge.pipeline import Pipeline
from edge.records import Frame
from edge.tracking.judge import Judge
from edge.tracking.settings import TrackingConfig
from edge.tracking.tracker import Track, Tracker
from tests.builders import a_detection, a_read, a_sighting
from tests.fakes import FakeDetector, FakeReader

SQUARE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
RNG = np.random.default_rng(7)


def street(seed: int = 1) -> np.ndarray:
    """A textured scene, (90, 160) float."""
    rng = np.random.default_rng(seed)
    blocks = np.kron(rng.uniform(50, 190, (9, 16)), np.ones((10, 10)))
    return blocks + rng.normal(0, 8, blocks.shape)


def seen(scene: np.ndarray, noise: float = 2.0, car: tuple[int, int] | None = None, size: tuple[int, int] = (12, 24)) -> np.ndarray:
    """As a camera gives it, (90, 160) uint8, with a striped car at (x, y)."""
    shown = scene.copy()
    if car is not None:
        x, y = car
        part = shown[y : y + size[0], x : x + size[1]]
        part[:] = np.where(np.arange(part.shape[1]) % 8 < 4, 200, 60)
    return np.clip(shown + RNG.normal(0, noise, scene.shape), 0, 255).astype(np.uint8)


def a_gate(regions: Regions | None = None) -> MotionGate:
    config = MotionConfig()
    return MotionGate(regions or Regions(), config.contrast, config.cell_share)


def settled(gate: MotionGate, scene: np.ndarray, frames: int = 30, noise: float = 2.0) -> float:
    """Feed it so many frames of nothing at 10 a second; the time afterwards."""
    for step in range(frames):
        gate.update(seen(scene, noise), step / 10)
    return frames / 10


def test_a_car_moves_and_a_noisy_street_does_not() -> None:
    """100 frames of noise without a false alarm, after the first half second; the car is seen in its first frame."""
    gate, scene = a_gate(), street()
    alarms = [gate.update(seen(scene, 4.0), step / 10) for step in range(100)]
    assert alarms[0]
    assert not any(alarms[6:])
    assert gate.update(seen(scene, 4.0, (60, 40)), 10.0)


def test_a_small_far_car_is_seen() -> None:
    """8 x 10 pixels of the small plane: a car a sixteenth of the picture wide."""
    gate, scene = a_gate(), street()
    now = settled(gate, scene)
    assert gate.update(seen(scene, 2.0, (80, 50), (8, 10)), now)


@pytest.mark.parametrize(("gain", "offset"), [(1.5, 0), (0.6, 0), (1.0, 20)])
def test_light_that_changes_over_the_whole_picture_is_no_motion(gain: float, offset: float) -> None:
    """A cloud, a lamp, the camera's own exposure: lighter, darker, within a second and at once."""
    gate, scene = a_gate(), street()
    now = settled(gate, scene)
    for step in range(10):
        share = (step + 1) / 10
        assert not gate.update(seen(scene * (1 + share * (gain - 1)) + share * offset), now + step / 10)
    now = settled(gate, scene)
    jumped = [gate.update(seen(scene * gain + offset), now + step / 10) for step in range(20)]
    assert not any(jumped[7:])


def test_a_soft_shadow_is_no_motion() -> None:
    """A cloud's edge, forty pixels wide, crosses the street and takes a third of the light."""
    gate, scene = a_gate(), street()
    now = settled(gate, scene)
    across = np.arange(160)[None, :]
    shadows = [1 - 0.33 / (1 + np.exp((across - 4 * step) / 10)) for step in range(40)]
    alarms = [gate.update(seen(scene * shadow), now + step / 10) for step, shadow in enumerate(shadows)]
    assert sum(alarms) == 0


def test_a_car_that_parks_becomes_part_of_the_street() -> None:
    """It moves for some seconds, and a minute later it does not; that it leaves is motion again."""
    gate, scene = a_gate(), street()
    now = settled(gate, scene)
    alarms = [gate.update(seen(scene, 2.0, (60, 40)), now + step / 10) for step in range(900)]
    assert all(alarms[:5])
    assert not any(alarms[-50:])
    assert gate.update(seen(scene), now + 90.1)


def test_a_tree_in_the_wind_is_used_up() -> None:
    """A patch that flickers for ever stops being motion, and a car beside it is still seen."""
    gate, scene = a_gate(), street()
    alarms = []
    for step in range(1200):
        shown = scene.copy()
        if step >= 100:  # the wind gets up
            shown[10:40, 20:60] += RNG.normal(0, 25, (30, 40))
        alarms.append(gate.update(seen(shown), step / 10))
    assert not any(alarms[10:100])
    assert all(alarms[100:105])
    assert not any(alarms[-100:])
    shown[40:60, 100:130] = np.where(np.arange(30) % 8 < 4, 220, 40)
    assert gate.update(seen(shown), 120.1)


def test_another_size_begins_anew() -> None:
    """A camera that comes back with another resolution is looked at at once."""
    gate, scene = a_gate(), street()
    now = settled(gate, scene)
    assert gate.update(seen(scene)[:60], now)
    assert not any(gate.update(seen(scene)[:60], now + 1 + step / 10) for step in range(5))


def test_motion_counts_only_where_it_is_watched() -> None:
    """In the excluded half nothing moves; nor outside the included square."""
    scene = street()
    for regions in (Regions(exclude=(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),)), Regions(include=(SQUARE,))):
        gate = a_gate(regions)
        now = settled(gate, scene)
        assert not gate.update(seen(scene, 2.0, (5, 5)), now)
        assert gate.update(seen(scene, 2.0, (90, 40)), now + 0.1)


def test_where_it_moves_is_known() -> None:
    gate, scene = a_gate(), street()
    now = settled(gate, scene)
    gate.update(seen(scene, 2.0, (60, 40)), now)
    assert gate.touches(60 / 160, 40 / 90, 84 / 160, 52 / 90)
    assert not gate.touches(0.8, 0.8, 0.9, 0.9)


@given(arrays(np.uint8, st.tuples(st.integers(1, 100), st.integers(1, 160))), st.floats(-10, 1e6))
def test_no_picture_breaks_the_gate(plane: np.ndarray, now: float) -> None:
    """Any plane of any size, at any time; contrast is finite, and shares are shares."""
    gate = a_gate()
    gate.update(plane, 0.0)
    assert isinstance(gate.update(255 - plane, now), bool)
    assert np.isfinite(local_contrast(plane)).all()
    assert 0 <= shares(plane > 100).min() <= shares(plane > 100).max() <= 1


@pytest.mark.parametrize(
    ("polygon", "words"),
    [
        ([[0, 0], [1, 1]], "at least 3 corners"),
        ([[0, 0], [1.2, 0], [1, 1]], r"\[1.2, 0\] is outside"),
        ([[0, 0], [1, 1], [1, 0], [0, 1]], "crosses itself"),
        ([[0, 0], [1, 0], [0.5, 0], [0.5, 1]], "crosses itself"),
        ([[0, 0], [1, 0], [1, 1], [0, 0]], "twice"),
        ([[0, 0], [1, 0], [0.5, 0.00001]], "hardly any area"),
    ],
)
def test_a_bad_polygon_is_named(tmp_path, polygon: list[list[float]], words: str) -> None:
    """With its file, its key, its number and the mend."""
    path = tmp_path / "platewatch.toml"
    path.write_text(f"[view]\nexclude = [[[0, 0], [0.5, 0], [0, 0.5]], {polygon}]\n")
    with pytest.raises(ConfigError, match=f"line 2: view.exclude, polygon 2: .*{words}"):
        load(path)


def test_a_good_polygon_is_taken(tmp_path) -> None:
    """One that is not convex, too."""
    path = tmp_path / "platewatch.toml"
    path.write_text("[view]\ninclude = [[[0, 0], [1, 0], [1, 1], [0.5, 0.2], [0, 1]]]\n")
    (polygon,) = load(path).view.include
    assert (contains(polygon, 0.5, 0.1), contains(polygon, 0.5, 0.5), contains(polygon, 0.95, 0.5)) == (True, False, True)
    assert area(SQUARE) == pytest.approx(0.25)
    assert checked(polygon) == polygon


def a_track(at: float, now: float, excluded: bool = False, x: float = 300.0) -> Track:
    sighting = a_sighting(at=at, x=x, y=200.0)
    track = Track(1, [sighting], at, now)
    track.last = type(sighting)(sighting.detection, sighting.read, now, excluded=excluded)
    return track


class Camera:
    """Feeds an attention frames of a scene at a rate, and counts its looks."""

    def __init__(self, fps: float = 30.0, slowness: float = 1.0, **motion: float) -> None:
        self.attention = Attention(ViewConfig(), MotionConfig.model_validate(motion), lost_after_s=1.0, settle_s=5.0, slowness=lambda: slowness)
        self.fps, self.now, self.scene = fps, 0.0, street()

    def looks(self, seconds: float, tracks: list[Track] | None = None, car: bool = False) -> int:
        before = self.attention.looked
        for step in range(round(seconds * self.fps)):
            shown = seen(self.scene, 2.0, (10 + 2 * (step % 60), 40) if car else None)
            self.attention.wants(Frame(np.zeros((360, 640), np.uint8), self.now, overview=shown), tracks or [])
            self.now += 1 / self.fps
        return self.attention.looked - before


def test_while_nothing_moves_there_is_a_look_every_second() -> None:
    """Of 300 frames ten; the others are counted as passed over."""
    camera = Camera()
    camera.looks(3)
    assert 9 <= camera.looks(10) <= 11
    assert camera.attention.as_json()["moving"] is False
    assert camera.attention.looked + camera.attention.passed_over == 390


def test_while_something_moves_there_are_as_many_as_set() -> None:
    """Ten a second of thirty; a slow camera's every frame."""
    camera, slow = Camera(search_fps=10), Camera(fps=5, search_fps=10)
    camera.looks(3), slow.looks(3)
    assert 90 <= camera.looks(10, car=True) <= 110
    assert slow.looks(10, car=True) >= 49


def test_a_fresh_plate_is_looked_at_in_every_frame_whatever_moves() -> None:
    camera = Camera()
    camera.looks(3)
    assert camera.looks(2, [a_track(camera.now, camera.now)]) == 60


def test_a_parked_plate_is_looked_at_often_enough_not_to_be_lost() -> None:
    """Settled, and nothing moves: every 0.4 s, where one second loses it; and every frame again when it moves."""
    camera = Camera()
    camera.looks(3)
    parked = a_track(camera.now - 60, camera.now)
    assert 24 <= camera.looks(10, [parked]) <= 26
    assert camera.looks(1, [a_track(camera.now - 60, camera.now, x=100.0)], car=True) >= 20


def test_a_hot_board_slows_the_search_and_nothing_else() -> None:
    """Four times fewer looks at nothing; a fresh plate has every frame, a parked one as many as ever."""
    camera = Camera(slowness=4.0)
    camera.looks(3)
    assert 2 <= camera.looks(10) <= 3
    assert camera.looks(2, [a_track(camera.now, camera.now)]) == 60
    assert 24 <= camera.looks(10, [a_track(camera.now - 60, camera.now)]) <= 26
    assert 20 <= camera.looks(10, car=True) <= 28


def test_a_plate_on_the_neighbours_drive_costs_nothing() -> None:
    camera = Camera()
    camera.looks(3)
    assert camera.looks(10, [a_track(camera.now, camera.now, excluded=True)]) <= 26


def test_switched_off_every_frame_is_looked_at() -> None:
    assert Camera(enabled=False).looks(2) == 60


def test_a_plate_outside_is_followed_but_neither_read_nor_kept() -> None:
    """Its pass is counted as excluded, it is not shown, and no crop of it exists; the one inside is an event."""
    config, unread = TrackingConfig(), []
    view = ViewConfig(exclude=(((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)),))
    reader = FakeReader(lambda quad: a_read("AB12CDE"))
    judge = Judge(config, on_unread=unread.append)
    attention = Attention(view, MotionConfig(), lost_after_s=1.0, settle_s=5.0)
    pipeline = Pipeline(FakeDetector([[a_detection(), a_detection(x=450)]] * 5), reader, Tracker(1.0), judge, attention=attention)
    luma = np.full((360, 640), 128, np.uint8)
    luma[100:130] = np.indices((30, 640)).sum(axis=0) % 8 // 4 * 255
    events = []
    for step in range(20):
        events += pipeline.step(Frame(luma, step / 10))
        if step == 2:
            assert [quad for quad, _, _ in pipeline.in_view] == [a_detection().quad]
            assert len(pipeline.passes) == 1
    events += pipeline.finish(5.0)
    assert [event.text for event in events if not event.preview] == ["AB12CDE"]
    assert (judge.reasons, reader.asked) == ({"excluded": 1}, 5)
    assert unread == []


def test_another_resolution_ends_what_was_followed() -> None:
    """The car of the old size is reported at once; what comes after is followed anew."""
    pipeline = Pipeline(FakeDetector([[a_detection()]] * 8), FakeReader(lambda quad: a_read("AB12CDE")), Tracker(1.0), Judge(TrackingConfig(preview_reads=0)))
    luma = np.indices((360, 640)).sum(axis=0).astype(np.uint8) % 8 // 4 * 255
    assert [pipeline.step(Frame(luma, step / 10)) for step in range(5)] == [[]] * 5
    assert [event.looks for event in pipeline.step(Frame(luma[:300], 0.5))] == [5]


def test_the_overview_keeps_the_proportions() -> None:
    assert overview(np.zeros((1080, 1920), np.uint8)).shape == (90, 160)
    assert overview(np.zeros((1920, 1080), np.uint8)).shape == (284, 160)
    assert overview(np.zeros((40, 100), np.uint8)).shape == (40, 100)
    assert overview(np.zeros((1, 4000), np.uint8)).shape == (1, 160)
