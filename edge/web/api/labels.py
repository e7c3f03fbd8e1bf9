"""What people said about plates: the set to learn from."""

from __future__ import annotations

from typing import Any

from flask import Response, abort

from edge.events.wanted import Wanted
from edge.labels import book
from edge.labels.export import stream_zip
from edge.labels.report import report
from edge.web import deleting, headers
from edge.web.api.declare import Link, endpoint
from edge.web.api.given import files
from edge.web.api.label_models import LabelBody, LabelRow, LabelsAnswer, LabelsQuery, ReportAnswer
from edge.web.saying import say

ID = {"id": "An event's id, or the name of an unread picture."}


def export() -> Response:
    """All labels with a picture, as training takes them. Is written into the access log."""
    store, wanted = files().store(), Wanted()
    deleting.note("exported labels", sum(one.width > 0 for one in book.labels(store, wanted)))
    named = headers.attachment("corrections.zip")
    return Response(stream_zip(store, book.labels(store, wanted)), mimetype="application/zip", headers={"Content-Disposition": named})


@endpoint(
    "GET",
    "/api/labels",
    scope="events:read",
    tag="labels",
    summary="Labels, newest first",
    query=LabelsQuery,
    answer=LabelsAnswer,
    errors=(503,),
    links=(Link("delete_label", {"id": "$response.body#/labels/0/event"}), Link("get_labels", {"before": "$response.body#/next"})),
)
def get_labels(query: LabelsQuery) -> dict[str, Any]:
    found = list(book.labels(files().store(), Wanted(limit=query.limit + 1, before=query.before, label=query.judgement)))
    more = len(found) > query.limit
    return {"labels": [one.as_json() for one in found[: query.limit]], "next": found[query.limit - 1].seq if more else None}


@endpoint("GET", "/api/labels/report", scope="events:read", tag="labels", summary="How often the device was right", answer=ReportAnswer, errors=(503,))
def get_label_report() -> dict[str, Any]:
    store = files().store()
    return report(book.labels(store), store.count()).as_json()


@endpoint(
    "GET",
    "/api/labels.zip",
    scope="events:export",
    tag="labels",
    summary="The labels with their pictures, as training takes them",
    errors=(503,),
    media="application/zip",
)
def get_labels_zip() -> Response:
    """As docs/data-format.md says. Is written into the access log."""
    return export()


@endpoint(
    "PUT",
    "/api/labels/{id}",
    scope="events:write",
    tag="labels",
    summary="Say what a plate says",
    parts=ID,
    body=LabelBody,
    answer=LabelRow,
    errors=(409, 503),
    links=(Link("delete_label", {"id": "$response.body#/event"}),),
)
def put_label(id: str, body: LabelBody) -> dict[str, Any]:
    """Takes the place of what was said before. The event keeps what was read."""
    return say(id, body.judgement, body.text, body.lines).as_json()


@endpoint("DELETE", "/api/labels/{id}", scope="events:write", tag="labels", summary="Take back what was said", parts=ID, code=204, errors=(404, 503))
def delete_label(id: str) -> None:
    if not files().labels().undo(id):
        abort(404, "Nothing was said about this plate.")
