"""The plates that were seen."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from flask import Response, abort, request

from edge.events.histogram import histogram
from edge.events.query import Found, find_one
from edge.records import Event
from edge.web import deleting, headers, taking
from edge.web import query as asking
from edge.web.api.declare import Link, endpoint
from edge.web.api.event_models import Deleted, Deletion, EventsExport, HistogramAnswer, StoryAnswer
from edge.web.api.given import files
from edge.web.api.models import EventAnswer, EventsAnswer, EventsFilter, EventsQuery
from edge.web.story import story, story_json

GONE = "There is no such event; it may have been deleted."
ID = {"event_id": "The event's id."}
FIRST = "$response.body#/events/0/id"
AGAIN = "$request.path.event_id"


def of_an_event(id: str) -> tuple[Link, ...]:
    """What can be asked of the event whose id stands there, and done with it."""
    return (*(Link(name, {"event_id": id}) for name in ("get_event", "get_story", "delete_event")), Link("put_label", {"id": id}))


seeing = partial(endpoint, "GET", scope="events:read", tag="events")


def event_json(event: Event) -> dict[str, Any]:
    """As docs/schemas/event.schema.json has it."""
    return event.as_json() | {"stage": "preview" if event.preview else "final"}


def found_json(found: Found) -> dict[str, Any]:
    """And what a person said about it."""
    return event_json(found.event) | found.as_json()


@seeing(
    "/api/events",
    summary="Events, newest first",
    query=EventsQuery,
    answer=EventsAnswer,
    errors=(409, 503),
    links=(*of_an_event(FIRST), Link("get_events", {"cursor": "$response.body#/cursor"})),
)
def get_events(query: EventsQuery) -> dict[str, Any]:
    page = asking.search(files().store(), asking.parse(request.args), files().name())
    found = [found_json(one) for one in page.found]
    return {"events": found, "next": found[-1]["id"] if page.next else None, "cursor": page.next, "damaged": [one.id for one in page.damaged]}


@seeing("/api/events/{event_id}", summary="One event", parts=ID, answer=EventAnswer, errors=(404, 503), links=of_an_event(AGAIN))
def get_event(event_id: str) -> dict[str, Any]:
    found = find_one(files().store(), event_id)
    if found is None:
        abort(404, GONE)
    return found_json(found)


@seeing("/api/events/{event_id}/story", summary="One event with all that led to it and came of it", parts=ID, answer=StoryAnswer, errors=(404, 503))
def get_story(event_id: str) -> dict[str, Any]:
    config = files().config
    found = story(files().store(), event_id, Path(config.gate.audit), config.targets)
    if found is None:
        abort(404, GONE)
    return {"event": found_json(found.found)} | story_json(found)


@seeing("/api/histogram", summary="How many events, by the day and by the hour", query=EventsFilter, answer=HistogramAnswer, errors=(409, 503))
def get_histogram(query: EventsFilter) -> dict[str, Any]:
    asked = asking.parse(request.args)
    return histogram(files().store(), asked.wanted, asked.zone, files().name() if asked.match == "exact" else None).as_json()


@endpoint(
    "GET",
    "/api/events.csv",
    scope="events:export",
    tag="events",
    summary="Events as a file for spreadsheets",
    query=EventsFilter,
    errors=(409, 503),
    media="text/csv",
)
def export_csv(query: EventsFilter) -> Response:
    """All that the filter finds, newest first. Is written into the access log."""
    return _file(taking.as_csv, "csv", "text/csv")


@endpoint(
    "GET",
    "/api/events.json",
    scope="events:export",
    tag="events",
    summary="Events as one file",
    query=EventsFilter,
    answer=EventsExport,
    errors=(409, 503),
)
def export_json(query: EventsFilter) -> Response:
    """All that the filter finds, newest first. Is written into the access log."""
    return _file(taking.as_json, "json", "application/json")


def _file(write: Any, ending: str, kind: str) -> Response:
    asked, store, name = asking.parse(request.args), files().store(), files().name()
    deleting.note("exported events", asking.count(store, asked, name))
    named = f"events-{files().utc_now():%Y%m%d-%H%M}.{ending}"
    return Response(write(store, asked, name), mimetype=kind, headers={"Content-Disposition": headers.attachment(named)})


@endpoint(
    "POST",
    "/api/events/delete",
    scope="events:write",
    tag="events",
    summary="Delete events, for good",
    body=Deletion,
    answer=Deleted,
    errors=(404, 409, 503),
)
def delete_events(body: Deletion) -> dict[str, Any]:
    """With pictures, looks, labels, and what waits for targets. It cannot be undone."""
    arguments = None if body.filter is None else {key: str(value) for key, value in body.filter.model_dump(by_alias=True).items()}
    return deleting.delete(body.ids, arguments, body.expected).as_json()


@endpoint("DELETE", "/api/events/{event_id}", scope="events:write", tag="events", summary="Delete one event, for good", parts=ID, code=204, errors=(404, 503))
def delete_event(event_id: str) -> None:
    if not deleting.count([event_id], None):
        abort(404, GONE)
    deleting.delete([event_id], None, 1)
