"""What every kind of target promises (`edge.publish.base.Target`), asked of all of them: the fake, the files, a command, a server, a broker."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.publish.base import PublishError, Stumbled, Target, Unreachable
from edge.publish.kinds import MAKERS, make
from edge.publish.settings import TargetConfig
from edge.publish.told import Site, Told
from tests.builders import an_event
from tests.receivers import MOSQUITTO, Broker, Receiver, free_port, listening, wait_for
from tests.unit.test_publish_courier import FakeTarget

PLATE = "AB12CDE"


def told(id: str) -> Told:
    return Told(an_event(id, PLATE).as_json(), Site("gate", "gate-1"), b"crop", f"crops/{id}.jpg", "a")


@dataclass
class Other:
    """The other side: ids that it has, in order, and switches to be away and back."""

    target: Target
    ids: Callable[[], list[str]]
    away: Callable[[], None]
    back: Callable[[], None]


@contextlib.contextmanager
def fake(folder: Path) -> Iterator[Other]:
    target = FakeTarget()
    yield Other(target, lambda: target.got, lambda: target.moods.append(Unreachable("down")), target.moods.clear)


def _file(folder: Path, target: Target, ids: Callable[[], list[str]]) -> Other:
    """Away: the folder is a file."""
    out = folder / "out"

    def away() -> None:
        if out.exists():
            out.rename(folder / "kept")
        out.write_text("")

    def back() -> None:
        out.unlink()
        if (folder / "kept").exists():
            (folder / "kept").rename(out)

    return Other(target, ids, away, back)


@contextlib.contextmanager
def jsonl(folder: Path) -> Iterator[Other]:
    path = folder / "out/events.jsonl"
    config = TargetConfig(name="a", kind="jsonl", path=str(path))
    yield _file(folder, make(config, Site()), lambda: [json.loads(line)["id"] for line in path.read_text().splitlines()] if path.exists() else [])


@contextlib.contextmanager
def csv(folder: Path) -> Iterator[Other]:
    path = folder / "out/annotations.csv"
    config = TargetConfig(name="a", kind="csv", dialect="fast-plate-ocr", path=str(path), picture="file", picture_folder="crops")
    yield _file(folder, make(config, Site()), lambda: [Path(line.split(",")[0]).stem for line in path.read_text().splitlines()[1:]] if path.exists() else [])


@contextlib.contextmanager
def exec_(folder: Path) -> Iterator[Other]:
    gone, got = folder / "gone", folder / "got"
    config = TargetConfig(name="a", kind="exec", command=("/bin/sh", "-c", f"test -e {gone} && exit 75; cat >> {got}; echo >> {got}"))
    yield Other(
        make(config, Site()), lambda: [json.loads(line)["id"] for line in got.read_text().splitlines()] if got.exists() else [], gone.touch, gone.unlink
    )


@contextlib.contextmanager
def webhook(folder: Path) -> Iterator[Other]:
    receiver = Receiver(free_port())
    with contextlib.ExitStack() as stack:
        stack.enter_context(receiver)
        target = make(TargetConfig(name="a", kind="webhook", url=receiver.url, timeout_s=5), Site())
        yield Other(target, lambda: [json.loads(body)["id"] for _, body in receiver.got], lambda: receiver.__exit__(), lambda: (receiver.__enter__(), None)[1])


@contextlib.contextmanager
def mqtt(folder: Path) -> Iterator[Other]:
    broker = Broker(folder / "broker")
    got: list[str] = []
    with contextlib.ExitStack() as hearing:

        def back() -> None:
            broker.__enter__()
            heard, _ = hearing.enter_context(listening(broker.port, "home/event"))
            parts.append(heard)

        def ids() -> list[str]:
            return got + [json.loads(one.payload)["id"] for heard in parts for one in heard]

        parts: list[list] = []
        back()
        target = make(TargetConfig(name="a", kind="mqtt", host="127.0.0.1", port=broker.port, topic="home", timeout_s=5), Site())
        try:
            yield Other(target, ids, broker.kill, back)
        finally:
            target.close()
            hearing.close()
            broker.kill()


NEEDS_BROKER = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
OTHERS = {"fake": fake, "jsonl": jsonl, "csv": csv, "exec": exec_, "webhook": webhook, "mqtt": mqtt}


@pytest.fixture(params=[pytest.param(name, marks=NEEDS_BROKER) if name == "mqtt" else name for name in OTHERS])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Other]:
    with OTHERS[request.param](tmp_path) as found:
        yield found


def test_every_kind_is_asked() -> None:
    assert set(OTHERS) - {"fake"} == set(MAKERS)


def test_returning_means_that_the_other_side_has_it(other: Other) -> None:
    """In the order in which it was told."""
    for id in ("1", "2", "3"):
        other.target.send(told(id))
    wait_for(lambda: other.ids() == ["1", "2", "3"])


def test_who_is_away_is_unreachable_and_can_be_told_when_it_is_back(other: Other) -> None:
    """The sentence names no plate; nothing of the failed tries arrives later."""
    other.target.send(told("1"))
    other.away()
    with pytest.raises((Unreachable, Stumbled)) as caught:  # a broker that goes in the middle may have stumbled over this very event
        other.target.send(told("2"))
    assert PLATE not in str(caught.value)
    other.back()
    for _ in range(3):  # a broker's client may notice only now that its connection is gone
        try:
            other.target.send(told("3"))
            break
        except (Unreachable, Stumbled):
            continue
    wait_for(lambda: "3" in other.ids())
    assert "2" not in other.ids()


def test_the_same_event_may_come_twice(other: Other) -> None:
    """After a crash the outbox does not know better: no error, and the id is the same."""
    other.target.send(told("1"))
    other.target.send(told("1"))
    wait_for(lambda: other.ids())
    assert set(other.ids()) == {"1"}


def test_chores_can_be_done_at_any_time(other: Other) -> None:
    """They leave the target ready, and name a time that is not past."""
    assert other.target.tend(0.0) >= 0
    assert other.target.connected in (None, True)
    other.target.send(told("1"))
    assert other.target.tend(1.0) >= 0


def test_a_target_can_be_closed_twice_and_from_another_thread(other: Other) -> None:
    """And says so when it is used afterwards, or works once more; it hangs neither way."""
    other.target.send(told("1"))
    thread = threading.Thread(target=other.target.close)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    other.target.close()
    with contextlib.suppress(PublishError):
        other.target.send(told("2"))
