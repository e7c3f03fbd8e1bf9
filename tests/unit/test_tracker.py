"""Which sighting joins which track."""

from __future__ import annotations

from collections.abc import Iterable

from edge.records import Sighting
from edge.tracking.tracker import KEPT_LOOKS, Track, Tracker
from tests.builders import a_sighting


def tracks_of(frames: Iterable[list[Sighting]], lost_after_s: float = 1.0) -> list[Track]:
    """Every track there ever was, by its beginning."""
    tracker, found = Tracker(lost_after_s), dict[int, Track]()
    for sightings in frames:
        for track in tracker.update(sightings, sightings[0].seen_at if sightings else 0.0):
            found[track.id] = track
    return list(found.values())


def test_a_plate_that_stays_is_one_track() -> None:
    tracks = tracks_of([a_sighting(at=step / 10)] for step in range(10))
    assert [track.sightings for track in tracks] == [10]


def test_a_fast_small_plate_whose_boxes_never_overlap_is_one_track() -> None:
    """60 px wide, 200 px further in each frame: its text carries it, and then its speed."""
    tracks = tracks_of([a_sighting(at=step / 10, x=200.0 * step, width=60, height=15)] for step in range(6))
    assert [track.sightings for track in tracks] == [6]


def test_a_fast_plate_that_one_frame_could_not_read_is_still_one_track() -> None:
    """Once its speed is known, the next place is enough."""
    texts = ["AB12CDE", "AB12CDE", "", "AB12CDE"]
    tracks = tracks_of([a_sighting(text, step / 10, x=200.0 * step, width=60, height=15)] for step, text in enumerate(texts))
    assert [track.sightings for track in tracks] == [4]


def test_a_fast_car_at_four_frames_a_second_keeps_its_track_unread() -> None:
    """It comes nearer by a third from frame to frame and moves by more than its width; after two reads only its motion carries it."""
    texts = ["AB12CDE", "AB12CDE", "", "", ""]
    frames = []
    x = 0.0
    for step, text in enumerate(texts):
        width = 60 * 1.35**step
        x += 1.4 * width
        frames.append([a_sighting(text, step / 4, x=x - width / 2, y=100 - width / 8, width=width, height=width / 4)])
    assert [track.sightings for track in tracks_of(frames)] == [5]


def test_a_plate_that_more_than_doubles_is_one_where_its_growth_was_seen() -> None:
    """Two frames a second, 1.6 times nearer each, then a frame is missed: 2.56 times the height of the last look."""
    sizes = {0: 40.0, 1: 64.0, 3: 164.0}
    frames = [[a_sighting("AB12CDE", step / 2, x=300 - size / 2, y=200 - size / 8, width=size, height=size / 4)] for step, size in sizes.items()]
    assert [track.sightings for track in tracks_of(frames, lost_after_s=2.0)] == [3]


def test_two_cars_are_two_tracks() -> None:
    """Side by side, both moving, for the whole pass."""
    tracks = tracks_of([a_sighting("AB12CDE", step / 10, x=30.0 * step), a_sighting("XY34ZZZ", step / 10, x=30.0 * step + 200)] for step in range(8))
    assert [[look.read.text for look in track.looks] for track in tracks] == [["AB12CDE"] * 8, ["XY34ZZZ"] * 8]


def test_cars_that_cross_keep_their_own_plates() -> None:
    """One from the left, one from the right: where they overlap the text tells them apart."""
    tracks = tracks_of([a_sighting("AB12CDE", step / 10, x=40.0 * step), a_sighting("XY34ZZZ", step / 10, x=400 - 40.0 * step)] for step in range(11))
    assert sorted({look.read.text for track in tracks for look in track.looks}) == ["AB12CDE", "XY34ZZZ"]
    assert all(len({look.read.text for look in track.looks}) == 1 for track in tracks)
    assert len(tracks) == 2


def test_the_next_car_at_the_same_place_is_another_track() -> None:
    """A queue at a gate, looked at twice a second: same place, another plate."""
    tracks = tracks_of([[a_sighting("AB12CDE", 0.0)], [a_sighting("AB12CDE", 0.5)], [a_sighting("XY34ZZZ", 1.0)], [a_sighting("XY34ZZZ", 1.5)]])
    assert [track.sightings for track in tracks] == [2, 2]


def test_a_misread_does_not_split_a_track() -> None:
    """At frame rate one foreign text at the same place is a misread, and the true text after it comes home."""
    texts = ["AB12CDE", "AB12CDE", "XXXXXXX", "AB12CDE", "AB12CDE"]
    tracks = tracks_of([a_sighting(text, step / 10)] for step, text in enumerate(texts))
    assert [track.sightings for track in tracks] == [5]


def test_a_plate_elsewhere_with_another_text_is_another_track() -> None:
    tracks = tracks_of([[a_sighting("AB12CDE", 0.0, x=0)], [a_sighting("XY34ZZZ", 0.1, x=800)]])
    assert len(tracks) == 2


def test_an_unreadable_plate_far_away_is_another_track() -> None:
    """Without a text only the place counts."""
    assert len(tracks_of([[a_sighting("", 0.0, x=0)], [a_sighting("", 0.1, x=300)]])) == 2
    assert len(tracks_of([[a_sighting("", 0.0, x=0)], [a_sighting("", 0.1, x=100)]])) == 1


def test_a_plate_of_another_size_is_another_track() -> None:
    """A far one and a near one in the same direction, neither legible."""
    assert len(tracks_of([[a_sighting("", 0.0, x=100, width=40, height=10)], [a_sighting("", 0.1, x=60, width=120, height=30)]])) == 2


def test_plates_that_change_places_keep_their_tracks() -> None:
    """Between two frames each comes to stand where the other was: the text is believed."""
    tracks = tracks_of(
        [[a_sighting("AB12CDE", 0.0, x=0), a_sighting("XY34ZZZ", 0.0, x=200)], [a_sighting("AB12CDE", 0.1, x=200), a_sighting("XY34ZZZ", 0.1, x=0)]]
    )
    assert [[look.read.text for look in track.looks] for track in tracks] == [["AB12CDE"] * 2, ["XY34ZZZ"] * 2]


def test_a_misread_before_a_pause_does_not_split_a_track() -> None:
    """The true text comes after frames without a plate: it is compared with more than the misread."""
    tracks = tracks_of([[a_sighting("AB12CDE", 0.0)], [a_sighting("XXXXXXX", 0.1)], [a_sighting("AB12CDE", 0.5)]])
    assert [track.sightings for track in tracks] == [3]


def test_a_track_is_lost_once_and_then_forgotten() -> None:
    """Unseen for longer than allowed: given once as lost. Exactly as long is not longer."""
    tracker = Tracker(lost_after_s=1.0)
    tracker.update([a_sighting(at=0.0)], 0.0)
    assert [track.lost for track in tracker.update([], 1.0)] == [False]
    assert [track.lost for track in tracker.update([], 1.1)] == [True]
    assert tracker.update([], 1.2) == []


def test_at_the_end_every_track_is_lost() -> None:
    tracker = Tracker(lost_after_s=1.0)
    tracker.update([a_sighting(at=0.0)], 0.0)
    assert [track.lost for track in tracker.finish()] == [True]
    assert tracker.finish() == []


def test_a_parked_car_keeps_few_looks_and_the_best() -> None:
    """Hours of looks do not fill the memory, and the worse ones go first."""
    frames = [[a_sighting(at=step / 10, confidence=0.99 if step < 5 else 0.7)] for step in range(200)]
    (track,) = tracks_of(frames)
    assert (track.sightings, len(track.looks)) == (200, KEPT_LOOKS)
    assert sum(look.read.characters[0].confidence == 0.99 for look in track.looks) == 5
