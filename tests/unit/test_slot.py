"""The newest-frame slot."""

from __future__ import annotations

import threading

from edge.slot import Slot


def test_a_reader_gets_the_newest_and_the_older_are_counted_as_dropped() -> None:
    """Three laid down, one fetched: the last; two dropped."""
    slot = Slot[int]()
    for item in (1, 2, 3):
        slot.put(item)
    assert (slot.get(0), slot.dropped) == (3, 2)


def test_what_was_fetched_is_not_dropped_and_not_given_twice() -> None:
    """Put and get in turn lose nothing."""
    slot = Slot[int]()
    slot.put(1)
    assert (slot.get(0), slot.get(0)) == (1, None)
    slot.put(2)
    assert (slot.get(0), slot.dropped) == (2, 0)


def test_a_closed_slot_still_gives_what_lies_there() -> None:
    """Closing wakes the reader, but loses no frame."""
    slot = Slot[int]()
    slot.put(7)
    slot.close()
    assert not slot.closed
    assert slot.get(60) == 7
    assert slot.closed
    assert slot.get(60) is None


def test_a_waiting_writer_drops_nothing() -> None:
    """With a wait, a fast writer and a reader in another thread pass every item on, in order."""
    slot = Slot[int]()

    def write() -> None:
        for item in range(200):
            slot.put(item, wait_s=10)
        slot.close()

    thread = threading.Thread(target=write)
    thread.start()
    got = []
    while not slot.closed:
        if (item := slot.get(10)) is not None:
            got.append(item)
    thread.join()
    assert (got, slot.dropped) == (list(range(200)), 0)
