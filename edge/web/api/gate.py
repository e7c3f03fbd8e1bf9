"""The gate: its state, what it decided and why, and a test."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from flask import Response

from edge.gate.decisions import as_csv
from edge.web.api.declare import Link, endpoint
from edge.web.api.gate_models import DecisionsAnswer, DecisionsQuery, ExportQuery, GateAnswer, GateTestAnswer
from edge.web.api.given import files
from edge.web.config_now import config_now
from edge.web.errands import Errands
from edge.web.gate import told
from edge.web.headers import attachment
from edge.web.scopes import caller

MOST_ROWS = 100_000
log = logging.getLogger(__name__)


@endpoint("GET", "/api/gate", scope="gate:read", tag="gate", summary="The state of the gate", answer=GateAnswer)
def get_gate() -> dict[str, Any]:
    return told.now()


@endpoint(
    "GET",
    "/api/gate/decisions",
    scope="gate:read",
    tag="gate",
    summary="What it decided, newest first",
    query=DecisionsQuery,
    answer=DecisionsAnswer,
    links=(Link("get_decisions", {"before": "$response.body#/next"}),),
)
def get_decisions(query: DecisionsQuery) -> dict[str, Any]:
    found = told.decisions().some(query.which, query.limit, query.before)
    config = config_now()
    return {"decisions": [told.decided(one, config) for one in found], "next": found[-1].seq if len(found) == query.limit else None}


@endpoint("GET", "/api/gate/decisions.csv", scope="events:export", tag="gate", summary="What it decided, as CSV", query=ExportQuery, media="text/csv")
def export_decisions(query: ExportQuery) -> Response:
    content = as_csv(told.decisions().some(query.which, MOST_ROWS))
    return Response(content, mimetype="text/csv", headers={"Content-Disposition": attachment("gate.csv"), "Cache-Control": "no-store"})


@endpoint("POST", "/api/gate/test", scope="gate:test", tag="gate", summary="Open the gate to test it", answer=GateTestAnswer)
def test_gate() -> dict[str, Any]:
    """Within the limits that always hold, written into the audit first by the name of who asks; in a dry run nothing moves."""
    answer = ask_test()
    return {"ok": answer[0], "sentence": answer[1]}


def ask_test() -> tuple[bool, str]:
    """Whether the daemon did it, and its sentence."""
    who = caller().name
    found = Errands(Path(files().config.runtime.directory)).ask("gate test", who=who)
    log.info("test of the gate by %s: %s", who, "done" if found.ok else "not done")
    return found.ok, found.sentence
