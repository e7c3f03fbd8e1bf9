"""How the device is, and what can be done for it."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, abort

from edge.errands import Answer
from edge.web import nursing, vitals
from edge.web.api.declare import endpoint
from edge.web.api.given import files
from edge.web.api.health_models import AccessesAnswer, AccessesQuery, DoctorAnswer, HealthAnswer, HistoryAnswer, SaidAnswer
from edge.web.examination import examination
from edge.web.headers import attachment
from edge.web.scopes import caller
from edge.web.speech import t

reads = partial(endpoint, scope="health:read", tag="health")
writes = partial(endpoint, scope="health:write", tag="health")
NAME_PART = {"name": "The target's name."}


@reads("GET", "/api/health", summary="How the device is", answer=HealthAnswer)
def get_health() -> dict[str, Any]:
    found = vitals.vitals(files())
    return found | {"troubles": [told(one) for one in vitals.troubles(found)]}


def told(one: vitals.Trouble) -> dict[str, Any]:
    """In the language of this request."""
    sentence = t(f"health.trouble.{one.key}", **one.values)
    return {"tone": one.tone, "key": one.key, "sentence": sentence, "mend": t(f"health.mend.{one.key}"), "words": one.words}


@reads("GET", "/api/health/history", summary="The last day", answer=HistoryAnswer)
def get_history() -> dict[str, Any]:
    return vitals.curves(nursing.directory())


@writes("GET", "/api/health/doctor", summary="What the doctor said", answer=DoctorAnswer)
def get_doctor() -> dict[str, Any]:
    return examination(nursing.directory())


@writes("POST", "/api/health/doctor", summary="Call the doctor", answer=SaidAnswer, code=202, errors=(409,))
def call_doctor() -> dict[str, Any]:
    """He is at work for some seconds; what he finds is told as it comes."""
    return said(nursing.call_doctor(caller().name))


@writes("POST", "/api/health/restart", summary="Start the daemon anew", answer=SaidAnswer, errors=(409,))
def restart_daemon() -> dict[str, Any]:
    return said(nursing.restart(caller().name))


@writes("POST", "/api/health/support", summary="A support bundle, without plates", errors=(409,), media="application/zip")
def make_support() -> Response:
    """Needs up to two minutes, most of it the doctor's."""
    return zipped(nursing.support(caller().name))


@writes("POST", "/api/targets/{name}/test", summary="Send a target one event that is marked as a test", parts=NAME_PART, answer=SaidAnswer, errors=(409,))
def try_target(name: str) -> dict[str, Any]:
    return said(nursing.try_target(name))


@writes("POST", "/api/targets/{name}/retry", summary="Offer a target once more what it refused", parts=NAME_PART, answer=SaidAnswer, errors=(409,))
def retry_target(name: str) -> dict[str, Any]:
    return said(nursing.retry_target(name))


@endpoint(
    "GET",
    "/api/accesses",
    scope="access:write",
    tag="access",
    summary="Who looked, newest first",
    query=AccessesQuery,
    answer=AccessesAnswer,
    errors=(503,),
)
def get_accesses(query: AccessesQuery) -> dict[str, Any]:
    return {"accesses": [dict(zip(("at", "who", "did", "events"), row, strict=True)) for row in files().store().accesses(query.limit)]}


def zipped(content: bytes) -> Response:
    """As a download."""
    name = f"platewatch-support-{files().utc_now():%Y%m%d-%H%M}.zip"
    return Response(content, mimetype="application/zip", headers={"Content-Disposition": attachment(name)})


def said(answer: Answer) -> dict[str, Any]:
    """409 where it could not be done."""
    if not answer.ok:
        abort(409, f"{answer.sentence[:1].upper()}{answer.sentence[1:].rstrip('.')}.")
    return {"sentence": answer.sentence}
