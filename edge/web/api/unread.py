"""Plates that gave no event."""

from __future__ import annotations

from typing import Any

from edge.web.api.declare import Link, endpoint
from edge.web.api.given import files
from edge.web.api.label_models import UnreadAnswer, UnreadQuery
from edge.web.speech import spoken
from edge.web.unread import gallery


@endpoint(
    "GET",
    "/api/unread",
    scope="events:read",
    tag="unread",
    summary="Plates that gave no event, and why",
    query=UnreadQuery,
    answer=UnreadAnswer,
    errors=(503,),
    links=(Link("put_label", {"id": "$response.body#/pictures/0/name"}), Link("get_unread", {"before": "$response.body#/next"})),
)
def get_unread(query: UnreadQuery) -> dict[str, Any]:
    return gallery(files(), spoken(), query.reason, query.before, query.limit)
