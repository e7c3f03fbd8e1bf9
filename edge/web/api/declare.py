"""How an endpoint of the API is declared: once, with everything that the validation, the guard and the OpenAPI document need to know.

    @endpoint("GET", "/api/things/{thing}", scope="status:read", tag="status", summary="One thing", answer=Thing, errors=(404,))
    def get_thing(thing: str) -> dict[str, Any]: ...

A view gets the path's parts by name, and `query` and `body` as models where they are declared. It returns a dict or model (sent as JSON), a Response
(sent as it is) or None (204), and refuses with `abort(404, "One sentence.")`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import HTTPException

from edge.web.limits import LARGEST_FORM, takes
from edge.web.scopes import needs

View = TypeVar("View", bound=Callable[..., Any])
api = Blueprint("api", __name__)


class Model(BaseModel):
    """What comes in or goes out. Built when it is first needed, so that the page starts at once; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Fault(Model):
    """What is wrong."""

    status: int
    message: str


class Problem(Model):
    """The one shape of an error."""

    error: Fault


@dataclass(frozen=True, slots=True)
class Link:
    """What a good answer leads to: the endpoint `to`, and where its arguments (`given`) and keys of its body come from, as OpenAPI writes it:
    `$response.body#/id`, `$request.path.list`, `$request.body#/plate`."""

    to: str
    given: dict[str, str] = field(default_factory=dict)
    body: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` has its parts in braces, told of in `parts`. `media` is the kind of the answer, `accepts` that of the body, at most `largest` bytes of it."""

    method: str
    path: str
    name: str
    scope: str
    tag: str
    summary: str
    description: str
    parts: dict[str, str]
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answer: type[BaseModel] | None
    code: int
    errors: tuple[int, ...]
    media: str
    accepts: str
    largest: int
    links: tuple[Link, ...]


ENDPOINTS: list[Endpoint] = []
"""All that were declared, in order."""


def endpoint(
    method: str,
    path: str,
    *,
    scope: str,
    tag: str,
    summary: str,
    parts: dict[str, str] | None = None,
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    answer: type[BaseModel] | None = None,
    code: int = 200,
    errors: tuple[int, ...] = (),
    media: str = "application/json",
    accepts: str = "application/json",
    largest: int = LARGEST_FORM,
    links: tuple[Link, ...] = (),
) -> Callable[[View], View]:
    """Declares the decorated function as an endpoint. A body other than JSON is read by the view itself, from `request.get_data()` or `request.stream`."""

    def declare(view: View) -> View:
        name = view.__name__
        given = {key: (parts or {}).get(key, "") for key in re.findall(r"{(\w+)}", path)}
        described = " ".join((view.__doc__ or "").split())
        told = Endpoint(method, path, name, scope, tag, summary, described, given, query, body, answer, code, errors, media, accepts, largest, links)
        ENDPOINTS.append(told)

        @wraps(view)
        def serve(**found: Any) -> ResponseReturnValue:
            if query is not None:
                found["query"] = read_query(query)
            if body is not None:
                found["body"] = read_body(body)
            return _answer(view(**found), code)

        serve.declared = told  # type: ignore[attr-defined]
        api.add_url_rule(re.sub(r"{(\w+)}", r"<\1>", path), endpoint=name, view_func=takes(largest)(needs(scope)(serve)), methods=[method])
        return view

    return declare


def declared(view: Callable[..., Any] | None) -> Endpoint | None:
    """The declaration of a view; None for what is no part of the API."""
    found = getattr(view, "declared", None)
    return found if isinstance(found, Endpoint) else None


def read_query(model: type[BaseModel]) -> BaseModel:
    """The query string, checked; 400 in a sentence that names the argument."""
    twice = [name for name, values in request.args.lists() if len(values) > 1]
    if twice:
        abort(400, f"{twice[0][:40]} is given more than once.")
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        abort(400, sentence(error))


def read_body(model: type[BaseModel]) -> BaseModel:
    """The JSON that was sent, checked; 400 or 415. Strict: "5" is no number."""
    if request.mimetype != "application/json":
        abort(415, "Send JSON, with Content-Type: application/json.")
    try:
        return model.model_validate_json(request.get_data(), strict=True)
    except ValidationError as error:
        abort(400, sentence(error))


def sentence(error: ValidationError) -> str:
    """What is wrong first, for the one who asked; a value is not repeated, since it may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])[:100]
    said = first["msg"].removeprefix("Value error, ")
    if first["type"] == "json_invalid":
        return "The body is not valid JSON."
    if first["type"] == "extra_forbidden":
        return f"{where} is not known here."
    if first["type"] == "missing":
        return f"{where} is missing."
    if first["type"] == "value_error":
        return f"{where}: {said.rstrip('.')}." if where else f"{said[0].upper()}{said[1:].rstrip('.')}."
    said = re.sub(r"^(Input|String|Value|List|Tuple|Dictionary) ", "", said)
    return f"{where or 'The body'} {said[0].lower()}{said[1:].rstrip('.')}."


def problem(error: HTTPException) -> ResponseReturnValue:
    """The one shape of an error, with the headers that belong to it."""
    code = error.code or 500
    kept = {name: value for name, value in error.get_headers() if name.lower() in ("allow", "retry-after", "www-authenticate")}
    return jsonify(error={"status": code, "message": error.description or error.name}), code, kept


def _answer(made: Any, code: int) -> ResponseReturnValue:
    if isinstance(made, Response):
        return made
    if made is None:
        return Response(status=204)
    return jsonify(made.model_dump(mode="json") if isinstance(made, BaseModel) else made), code
