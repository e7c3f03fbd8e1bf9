"""The bundles: which there are, take one in, choose, take back, delete, compare."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from flask import abort, request

from edge.errands import Answer
from edge.model.unpacking import MOST_ARCHIVE
from edge.web import bundles
from edge.web.api.declare import Link, endpoint
from edge.web.api.model_models import ArrivalAnswer, CompareBody, ComparisonAnswer, DoneAnswer, KindBody, ModelsAnswer, UploadQuery
from edge.web.scopes import caller, may

reads = partial(endpoint, scope="model:read", tag="model")
writes = partial(endpoint, scope="model:write", tag="model")
ARRIVED = {"name": "$response.body#/bundle"}
FIRST = {"name": "$response.body#/bundles/0/name"}
STARTED = Link("get_comparison"), Link("cancel_comparison")
NAME_PART = {"name": "A bundle that was uploaded, or `detector` or `reader` for those that ship."}


@reads("GET", "/api/models", summary="All bundles, and what is in use", answer=ModelsAnswer, links=(Link("use_model", FIRST), Link("delete_model", FIRST)))
def get_models() -> dict[str, Any]:
    return bundles.told()


@writes(
    "POST",
    "/api/models",
    summary="Upload a bundle",
    query=UploadQuery,
    answer=ArrivalAnswer,
    code=202,
    errors=(409,),
    accepts="application/octet-stream",
    largest=MOST_ARCHIVE,
    links=(Link("get_arrival"),),
)
def add_model(query: UploadQuery) -> dict[str, Any]:
    """A .zip or .tar.gz. It is verified and tried apart: `/api/models/arrival` tells how that goes. Nothing is put in use by it."""
    bundles.receive(cast(Any, request.stream), query.file)
    return get_arrival()


@reads(
    "GET", "/api/models/arrival", summary="How far the last upload is", answer=ArrivalAnswer, links=(Link("use_model", ARRIVED), Link("delete_model", ARRIVED))
)
def get_arrival() -> dict[str, Any]:
    state = bundles.arrival().state()
    return {"state": "", **{key: str(state[key]) for key in ArrivalAnswer.model_fields if key in state}}


@writes(
    "POST",
    "/api/models/{name}/use",
    summary="Choose a bundle and put it in force",
    parts=NAME_PART,
    answer=DoneAnswer,
    errors=(409,),
    links=(Link("get_models"), Link("roll_back_model")),
)
def use_model(name: str) -> dict[str, Any]:
    """Without a restart. What the daemon refuses is taken back, and answered with 409 and its reason."""
    return done(bundles.use(name, caller().name))


@writes("POST", "/api/models/rollback", summary="Back to the bundle that was chosen before", body=KindBody, answer=DoneAnswer, errors=(409,))
def roll_back_model(body: KindBody) -> dict[str, Any]:
    return done(bundles.roll_back(body.kind, caller().name))


@writes("DELETE", "/api/models/{name}", summary="Delete a bundle that was uploaded", parts=NAME_PART, code=204, errors=(409,))
def delete_model(name: str) -> None:
    bundles.depot().delete(name)


@reads("GET", "/api/models/comparison", summary="The comparison of two readers", answer=ComparisonAnswer)
def get_comparison() -> dict[str, Any]:
    return bundles.compared(with_plates=may("events:read"))


@writes(
    "POST",
    "/api/models/comparison",
    summary="Compare two readers on the stored plates",
    body=CompareBody,
    answer=ComparisonAnswer,
    code=202,
    errors=(409,),
    links=STARTED,
)
def start_comparison(body: CompareBody) -> dict[str, Any]:
    bundles.compare(body.one, body.other, body.most)
    return get_comparison()


@writes("DELETE", "/api/models/comparison", summary="Cancel the comparison", code=204)
def cancel_comparison() -> None:
    bundles.clear()


def done(answer: Answer) -> dict[str, Any]:
    """409 where it was refused."""
    if not answer.ok:
        abort(409, f"{answer.sentence[:1].upper()}{answer.sentence[1:].rstrip('.')}.")
    return {"sentence": answer.sentence}
