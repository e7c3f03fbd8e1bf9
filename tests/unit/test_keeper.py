"""Events between the pipeline and a store that may refuse them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.daemon import Keeper
from edge.errors import StoreError
from edge.records import Event
from edge.store import Store
from tests.builders import an_event


class MoodyStore(Store):
    """Takes nothing while it is `full`."""

    full = False

    def add(self, event: Event) -> bool:
        if self.full:
            raise StoreError("the disk is full")
        return super().add(event)


def test_events_wait_for_the_store_and_none_is_lost(tmp_path: Path) -> None:
    """While it refuses they are kept in order, it is not asked at every frame, and afterwards all are there."""
    store = MoodyStore(tmp_path / "events.sqlite")
    keeper, store.full = Keeper(store), True
    keeper.keep([an_event("1")], now=100.0)
    assert "1 events wait to be stored: the disk is full" in keeper.trouble
    store.full = False
    keeper.keep([an_event("2")], now=100.1)
    assert store.count() == 0
    keeper.keep([], now=101.0)
    assert ([event.id for event in store.events()], keeper.saved, keeper.trouble) == (["2", "1"], 2, "")


def test_at_the_end_nothing_waits(tmp_path: Path) -> None:
    """In a hurry the back-off does not count."""
    store = MoodyStore(tmp_path / "events.sqlite")
    keeper, store.full = Keeper(store), True
    keeper.keep([an_event("1")], now=100.0)
    store.full = False
    keeper.keep([], now=100.0, hurry=True)
    assert store.count() == 1


def test_what_does_not_fit_is_counted_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Memory is bounded: the oldest goes, never silently."""
    store = MoodyStore(tmp_path / "events.sqlite")
    keeper, store.full = Keeper(store, bound=2), True
    for number in range(5):
        keeper.keep([an_event(str(number))], now=100.0)
    assert keeper.lost == 3
    assert "an event is lost" in caplog.text
    store.full = False
    keeper.keep([], now=1000.0)
    assert [event.id for event in store.events()] == ["4", "3"]


def test_events_of_one_second_are_one_write(tmp_path: Path) -> None:
    """The first at once; those that follow within a second together, as one transaction."""
    keeper = Keeper(store := Store(tmp_path / "events.sqlite"))
    batches: list[int] = []
    write = keeper._write
    keeper._write = lambda events: batches.append(len(events)) or write(events)  # type: ignore[method-assign,func-returns-value]
    for step in range(8):
        keeper.keep([an_event(str(step))], now=100.0 + step / 5)
    keeper.keep([], now=102.5)
    assert (batches, store.count(), keeper.saved) == ([1, 5, 2], 8, 8)


def test_a_batch_that_fails_is_kept_whole(tmp_path: Path) -> None:
    """Nothing of it is counted as stored, and nothing is lost."""
    store = MoodyStore(tmp_path / "events.sqlite")
    keeper = Keeper(store)
    store.full = True
    keeper.keep([an_event(str(number)) for number in range(3)], now=100.0)
    assert (keeper.saved, keeper.waiting, store.count()) == (0, 3, 0)
    store.full = False
    keeper.keep([], now=200.0)
    assert (keeper.saved, keeper.waiting, store.count()) == (3, 0, 3)


def test_a_preview_that_should_not_have_been_goes_as_soon_as_the_store_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Withdrawn while the disk is full: it is not forgotten to be forgotten, and who was told it hears so then."""
    store = Store(tmp_path / "events.sqlite")
    keeper, unsaid = Keeper(store), list[str]()
    store.unsaid = lambda db, id: unsaid.append(id)
    keeper.keep([an_event("1", preview=True)], now=100.0)

    def full(id: str) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "withdraw", full)
        keeper.forget("1")
        keeper.keep([], now=200.0)
    assert store.event("1") is not None
    keeper.keep([], now=300.0)
    assert store.event("1") is None
    assert unsaid == ["1"]
