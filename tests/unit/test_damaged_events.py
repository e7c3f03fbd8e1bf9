"""Events whose row is damaged, as by a card on which bits turn: the others are shown, it is said how many are missing, and they can be deleted."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli import main
from edge.errors import StoreError
from edge.events.query import find, find_one
from edge.events.wanted import Wanted
from edge.store import Store
from edge.web import query
from tests.builders import an_event
from tests.pages import a_page, logged_in, token

HARMS = {
    "no text any more": lambda row: row[:3] + bytes([row[3] ^ 0x80]) + row[4:],
    "no JSON any more": lambda row: row.replace(b'"camera": ', b'"camera"; ', 1),
    "a field is missing": lambda row: row.replace(b'"camera": ', b'"kamera": ', 1),
}
EVENTS = 9


def harm(path: Path, numbers: list[int], how: str = "no text any more") -> None:
    """Turn bits in the file itself, in the rows of those events and nowhere else."""
    content = path.read_bytes()
    for number in numbers:
        begin = content.index(f'{{"v": 1, "id": "event-{number}"'.encode())
        end = content.index(b"}", content.index(b'"camera": ', begin))
        row = content[begin:end]
        harmed = HARMS[how](row)
        assert len(harmed) == len(row)
        assert harmed != row
        content = content[:begin] + harmed + content[end:]
    path.write_bytes(content)


def a_home(folder: Path, damaged: list[int], how: str = "no text any more") -> Path:
    """A device with nine events, of which some are damaged."""
    path = folder / "events.sqlite"
    with Store(path) as store:
        for number in range(EVENTS):
            store.add(an_event(f"event-{number}", f"AB{number}CDE", f"2026-11-20T12:00:0{number}.000+00:00"))
    harm(path, damaged, how)
    (folder / "c.toml").write_text('[store]\npath = "events.sqlite"\n[runtime]\ndirectory = "run"\n')
    return path


@pytest.mark.parametrize("how", HARMS)
def test_one_damaged_event_hides_no_other(tmp_path: Path, how: str) -> None:
    with Store(a_home(tmp_path, [4], how)) as store:
        found = find(store, Wanted())
        assert [one.event.id for one in found] == [f"event-{number}" for number in (8, 7, 6, 5, 3, 2, 1, 0)]
        assert [one.id for one in found.damaged] == ["event-4"]
        assert [event.id for event in store.events(limit=3, before="event-6")] == ["event-5", "event-3"]
        with pytest.raises(StoreError, match="damaged"):
            find_one(store, "event-4")


@pytest.mark.parametrize("damaged", [[], [8], [0], [3, 4, 5], [8, 7, 6, 5], [0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 2, 4, 6, 8]])
@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_pages_show_every_whole_event_once_and_count_every_damaged_one_once(tmp_path: Path, damaged: list[int], size: int) -> None:
    """A page is full as long as there are whole events: a damaged one takes no place."""
    with Store(a_home(tmp_path, damaged)) as store:
        whole, missing, asked = list[str](), list[str](), query.EventQuery(limit=size)
        while True:
            page = query.search(store, asked)
            assert len(page.found) == size or page.next is None
            whole += [one.event.id for one in page.found]
            missing += [one.id for one in page.damaged]
            if page.next is None:
                break
            asked = query.EventQuery(limit=size, cursor=int(page.next))
        assert whole == [f"event-{number}" for number in reversed(range(EVENTS)) if number not in damaged]
        assert missing == [f"event-{number}" for number in reversed(range(EVENTS)) if number in damaged]


def test_the_page_and_the_api_say_so_and_delete_them(tmp_path: Path) -> None:
    a_home(tmp_path, [2, 5])
    (tmp_path / "run").mkdir()
    client = logged_in(a_page(tmp_path))
    shown = client.get("/events")
    assert shown.status_code == 200
    assert "2 events of this page are damaged" in shown.text
    assert shown.text.count('name="ids" value="event-') >= 2
    told = client.get("/api/events?limit=3").json
    assert ([one["id"] for one in told["events"]], told["damaged"]) == (["event-8", "event-7", "event-6"], [])
    told = client.get(f"/api/events?limit=3&cursor={told['cursor']}").json
    assert ([one["id"] for one in told["events"]], told["damaged"]) == (["event-4", "event-3", "event-1"], ["event-5", "event-2"])
    assert len(json.loads(client.get("/api/events.json").text)) == EVENTS - 2
    form = {"csrf": token(client, "/events"), "ids": ["event-2", "event-5"], "expected": "2"}
    assert client.post("/events/delete", data=form).location == "/events?deleted=2"
    assert "damaged" not in client.get("/events").text
    assert client.get("/api/events").json["damaged"] == []


def test_the_command_line_says_so_on_stderr_and_deletes_what_is_damaged_and_no_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, config = a_home(tmp_path, [2, 5]), str(tmp_path / "c.toml")
    assert main(["events", "--config", config, "--json"]) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == EVENTS - 2
    assert "2 events are damaged and left out; platewatch events delete --damaged" in told.err
    assert main(["events", "export", "--config", config]) == 0
    told = capsys.readouterr()
    assert len(list(csv.DictReader(io.StringIO(told.out)))) == EVENTS - 2
    assert "2 events are damaged" in told.err
    assert main(["events", "delete", "--config", config, "--damaged", "--yes"]) == 0
    assert capsys.readouterr().out.startswith("2 events, 0 labels")
    assert main(["events", "--config", config, "--json"]) == 0
    told = capsys.readouterr()
    assert (len(told.out.splitlines()), told.err) == (EVENTS - 2, "")
    with Store(path) as store:
        assert store.count() == EVENTS - 2


def test_who_erases_a_plate_erases_its_damaged_events_too(tmp_path: Path) -> None:
    """The columns that are searched by are whole: nothing of the plate is left in the file."""
    path = a_home(tmp_path, [5])
    assert main(["events", "delete", "--config", str(tmp_path / "c.toml"), "--plate", "AB5CDE", "--yes"]) == 0
    assert b"AB5CDE" not in path.read_bytes()


def test_a_search_that_is_made_by_hand_asks_what_it_says(tmp_path: Path) -> None:
    """As one that was parsed: the text counts, and how it is to match."""
    with Store(a_home(tmp_path, [])) as store:
        for text, match in (("AB5", "prefix"), ("5", "contains"), ("AB5CDE", "exact"), ("AB?CDE", "pattern"), ("AB5CDE", "fuzzy")):
            parsed = query.parse({"text": text, "match": match})
            made = query.EventQuery(text=text, match=match)  # type: ignore[arg-type]
            assert replace(made.wanted, limit=parsed.limit) == parsed.wanted
            assert query.find(store, made) == query.find(store, parsed)
        assert [event.id for event in query.find(store, query.EventQuery(text="AB5CDE", match="exact"))] == ["event-5"]
        assert query.find(store, query.EventQuery(text="ZZ")) == []
        assert query.count(store, query.EventQuery(text="AB5CDE", match="exact")) == 1
