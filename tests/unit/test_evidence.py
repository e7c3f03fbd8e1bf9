"""The looks behind a vote: what is kept, how small it is, and what privacy takes out of it."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from edge.errors import StoreError
from edge.evidence import MOST_LOOKS, Evidence, KeptLook, pack, unpack
from edge.keeping.settings import PrivacyConfig
from edge.keeping.veil import Veil
from edge.pipeline import Pipeline
from edge.records import Character, Event, Match
from edge.store import Store
from edge.tracking.evidence import evidence_of
from edge.tracking.judge import Judge
from edge.tracking.settings import TrackingConfig
from edge.tracking.tracker import Tracker
from edge.tracking.verdict import conclude
from edge.tracking.voting import Look, runners_up
from tests.builders import a_detection, a_frame, a_read, a_sighting, an_event
from tests.fakes import FakeDetector, FakeReader

OURS = Match("family", "allow", "AB12CDE", "Anna")
ALPHABET = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


def looks_at(*texts: str) -> Evidence:
    sightings = [a_sighting(text, at=place / 10, sharpness=1.0 - place / 50) for place, text in enumerate(texts)]
    return evidence_of(sightings, conclude(sightings), 0.0, {})


def watched(texts: list[str], **judge: object) -> Event:
    """The event of a plate that was read so, one look a frame."""
    said = iter(texts)
    pipeline = Pipeline(
        FakeDetector([[a_detection()]] * len(texts)), FakeReader(lambda quad: a_read(next(said))), Tracker(1.0), Judge(TrackingConfig(), **judge)
    )
    found = [event for step in range(len(texts)) for event in pipeline.step(a_frame(step / 10, step))]
    found += pipeline.finish(len(texts) / 10)
    return found[-1]


def test_each_look_that_voted_is_told_with_what_it_said_and_weighed() -> None:
    kept = looks_at("AB12CDE", "A812CDE", "AB12CDE", "AB12CDE")
    assert [(look.at_s, look.text, look.agrees) for look in kept.looks] == [
        (0.0, "AB12CDE", True), (0.1, "A812CDE", False), (0.2, "AB12CDE", True), (0.3, "AB12CDE", True),
    ]  # fmt: skip
    first = kept.looks[0]
    assert (first.width_px, first.score, first.sharpness, len(first.characters)) == (120.0, 0.9, 1.0, 7)
    assert 0.5 < kept.looks[3].weight < first.weight <= 1.0
    assert (kept.voted, kept.by_character) == (4, "AB12CDE")


def test_the_runners_up_of_each_character_have_their_share_of_the_votes() -> None:
    looks = [Look(a_read("AB12", 1.0), 1.0)] * 3 + [Look(a_read("A812", 1.0), 1.0)]
    assert runners_up(looks, "AB12") == ((), (Character("8", 0.25),), (), ())


def test_a_look_that_overlooked_a_character_votes_for_none_there() -> None:
    looks = [Look(a_read("AB12", 1.0), 1.0)] * 3 + [Look(a_read("AB1", 1.0), 1.0)]
    assert runners_up(looks, "AB12")[3] == (Character("", 0.25),)


def test_of_a_parked_cars_looks_the_weightiest_are_kept_in_their_order() -> None:
    kept = looks_at(*["AB12CDE"] * 40)
    assert (len(kept.looks), kept.voted) == (MOST_LOOKS, 40)
    times = [look.at_s for look in kept.looks]
    assert times == sorted(times)
    assert max(times) < 3.9, "the dullest were the last"


def test_what_is_packed_comes_back_but_for_its_rounding() -> None:
    kept = looks_at("AB12CDE", "A812CDE", "AB12CDE")
    again = unpack(pack(kept))
    assert [(look.text, look.agrees, look.at_s) for look in again.looks] == [(look.text, look.agrees, pytest.approx(look.at_s)) for look in kept.looks]
    assert again.looks[1].confidence == pytest.approx(kept.looks[1].confidence, abs=5e-4)
    assert (again.alternatives[1][0].char, [one.text for one in again.candidates]) == ("8", ["AB12CDE", "A812CDE"])
    assert unpack(pack(again)) == again
    with pytest.raises(StoreError, match="kept by another version"):
        unpack(b"no looks")


def test_the_worst_case_is_two_kilobytes() -> None:
    """Thirty looks that differ in everything, each character with three runners-up: numbers that compress badly."""
    dice = random.Random(1)
    looks = tuple(
        KeptLook(
            dice.uniform(0, 60), "".join(dice.choices(ALPHABET, k=10)), dice.random(), tuple(dice.random() for _ in range(10)), dice.random(),
            dice.uniform(30, 900), dice.random(), dice.uniform(0.5, 1), dice.random() < 0.5,
        )
        for _ in range(MOST_LOOKS)
    )  # fmt: skip
    others = tuple(tuple(Character(dice.choice(ALPHABET), dice.random()) for _ in range(3)) for _ in range(10))
    assert len(pack(Evidence(looks, 40, "AB12CDE", others))) < 2100


def test_the_final_event_has_its_looks_and_the_preview_none(tmp_path: Path) -> None:
    """They are stored with it, leave the device with nothing, and go when it goes."""
    event = watched(["AB12CDE", "AB12CDE", "A812CDE", "AB12CDE"])
    assert event.evidence is not None
    assert "evidence" not in event.as_json()
    with Store(tmp_path / "events.sqlite") as store:
        store.add(an_event(event.id, preview=True))
        assert store.looks(event.id) is None
        store.add(event)
        found = store.looks(event.id)
        assert found is not None
        assert [look.text for look in found.looks] == ["AB12CDE", "AB12CDE", "A812CDE", "AB12CDE"]
        store.delete(event.id)
        assert (store.looks(event.id), store.rows("SELECT count(*) FROM looks")) == (None, [(0,)])


def test_behind_a_pseudonym_no_look_has_a_text(tmp_path: Path) -> None:
    """Nor the number of its characters."""
    veil = Veil(PrivacyConfig(pseudonyms=True, key_file=str(tmp_path / "key")))
    (told,) = veil.events([watched(["AB12CDE", "A812CDE", "AB12CDE"])])
    assert told.evidence is not None
    assert {(look.text, look.characters) for look in told.evidence.looks} == {("", ())}
    assert (told.evidence.by_character, told.evidence.alternatives, told.evidence.candidates) == ("", (), ())
    assert [look.agrees for look in told.evidence.looks] == [True, False, True]


def test_of_known_plates_only_no_look_tells_a_strangers_text() -> None:
    veil = Veil(PrivacyConfig(known_only=True), known=lambda text, at: OURS if text == "AB12CDE" else None)
    event = watched(["AB12CDE", "ZZ12CDE", "AB12CDE"], known=lambda text, at: OURS if text == "AB12CDE" else None)
    (told,) = veil.events([event])
    assert told.evidence is not None
    assert [look.text for look in told.evidence.looks] == ["AB12CDE", "", "AB12CDE"]
    assert "ZZ12CDE" not in repr(told.evidence)


def test_a_text_that_nobody_wants_kept_is_not_kept_as_a_look_either() -> None:
    """Two cars one after the other may share a track for a look."""

    def known(text: str, at: datetime) -> Match | None:
        return Match("neighbours", "ignore", text) if text == "ZZ12CDE" else None

    event = watched(["AB12CDE", "ZZ12CDE", "AB12CDE"], known=known)
    assert event.evidence is not None
    assert "ZZ12CDE" not in repr(event.evidence)
    assert len(event.evidence.looks) == 3


def test_the_crop_tells_where_it_was_cut() -> None:
    """So that the corners can be found in it: 15 % of 120 x 30 px beside the plate at (100, 100)."""
    event = watched(["AB12CDE"] * 3)
    assert event.crop_at == (82, 95)
    assert np.allclose(np.array(event.quad.points) - event.crop_at, [[18, 5], [138, 5], [138, 35], [18, 35]])
