"""The OpenAPI 3.1 document of everything that is declared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from edge.status import version
from edge.web.api.declare import ENDPOINTS, Endpoint, Link, Problem
from edge.web.forgery import HEADER, SAFE
from edge.web.scopes import ANYONE

API_VERSION = "1.0.0"
DESCRIPTION = (
    "What the page of a Platewatch device shows and does. Keys are added in later versions of this document, never changed or taken away: "
    "ignore those that you do not know. A change that breaks this would come under another path. Every error has one shape."
)
TAGS = {
    "status": "The state of the device.",
    "events": "The plates that were seen.",
    "labels": "What people said about plates.",
    "unread": "Plates that gave no event.",
    "read": "Plates in a picture that is sent.",
    "lists": "The lists of known plates.",
    "gate": "The gate and its decisions.",
    "model": "The networks: in use, uploaded, compared.",
    "health": "How the device is, its doctor, and its targets.",
    "setup": "The camera, and where plates count.",
    "settings": "The config file: its keys, and its text.",
    "access": "Users, tokens and sessions.",
    "documents": "This document.",
}
ALWAYS = (400, 401, 403, 405, 421, 500, 503)
"""Any endpoint may answer so: a malformed request, no log-in, no right, a foreign name of the page, a fault, no password set yet."""


@cache
def document() -> dict[str, Any]:
    """Made on first demand, since it builds every model; the same for as long as the process lives."""
    models = {model: None for one in ENDPOINTS for model in (one.query, one.body, one.answer) if model is not None} | {Problem: None}
    names, schemas = models_json_schema([(model, _mode(model)) for model in models], ref_template="#/components/schemas/{model}")
    refs = {model: schema for (model, _), schema in names.items()}
    parts = {name: schema for name, schema in schemas["$defs"].items()}
    paths: dict[str, dict[str, Any]] = {}
    for one in ENDPOINTS:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, refs, parts)
    asked = {refs[one.query]["$ref"].rpartition("/")[2] for one in ENDPOINTS if one.query is not None}
    used = {name: TAGS.get(name, "") for name in dict.fromkeys(one.tag for one in ENDPOINTS)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Platewatch",
            "version": API_VERSION,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
            "x-device": version(),
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} | ({"description": words} if words else {}) for name, words in used.items()],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in parts.items() if name not in asked},
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "platewatch",
                    "description": "Of the log-in; over HTTPS it is __Host-platewatch.",
                },
                "csrf": {"type": "apiKey", "in": "header", "name": HEADER, "description": "`csrf` of /api/me; needed with a session by what changes anything."},
                "token": {"type": "http", "scheme": "bearer", "description": "Made on the page under Access, or by `platewatch web --new-token`."},
            },
            "responses": {"Problem": {"description": "What is wrong, in one sentence.", "content": {"application/json": {"schema": refs[Problem]}}}},
        },
    }


def _mode(model: type[BaseModel]) -> Any:
    """An answer always has all its keys; of what is sent, those with a default may be left out."""
    return "serialization" if any(one.answer is model for one in ENDPOINTS) or model is Problem else "validation"


def _operation(one: Endpoint, refs: Mapping[Any, Any], parts: dict[str, Any]) -> dict[str, Any]:
    writes = one.method not in SAFE
    told: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": one.summary,
        "description": " ".join(filter(None, (one.description, needed(one)))),
        "security": [{"session": [], "csrf": []} if writes else {"session": []}, {"token": [] if one.scope == ANYONE else [one.scope]}],
        "x-scope": one.scope,
    }
    given = [{"name": name, "in": "path", "required": True, "description": words, "schema": {"type": "string"}} for name, words in one.parts.items()]
    if one.query is not None:
        given += _arguments(parts[refs[one.query]["$ref"].rpartition("/")[2]])
    if given:
        told["parameters"] = given
    if one.body is not None:
        told["requestBody"] = {"required": True, "content": {one.accepts: {"schema": refs[one.body]}}}
    elif one.accepts != "application/json":
        told["requestBody"] = {"required": True, "content": {one.accepts: {"schema": {"type": "string", "contentMediaType": one.accepts}}}}
    good: dict[str, Any] = {"description": HTTPStatus(one.code).phrase}
    if one.answer is not None:
        good["content"] = {one.media: {"schema": refs[one.answer]}}
    elif one.code != 204:
        good["content"] = {one.media: {"schema": {}}}
    if one.links:
        good["links"] = {link.to: _link(link) for link in one.links}
    bad = {*one.errors, *ALWAYS, *((413, 415) if writes else ())}
    told["responses"] = {str(one.code): good} | {str(code): {"$ref": "#/components/responses/Problem"} for code in sorted(bad)}
    return told


def _link(link: Link) -> dict[str, Any]:
    """Arguments are written with their place, since `name` may be in a path and in a body."""
    target = next(one for one in ENDPOINTS if one.name == link.to)
    told: dict[str, Any] = {"operationId": link.to, "description": target.summary}
    if link.given:
        told["parameters"] = {f"{'path' if name in target.parts else 'query'}.{name}": source for name, source in link.given.items()}
    return told | ({"requestBody": dict(link.body)} if link.body else {})


def needed(one: Endpoint) -> str:
    """Which right it needs, as a sentence."""
    return "For everyone who is let in." if one.scope == ANYONE else f"Needs the scope `{one.scope}`."


def _arguments(schema: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name, told in schema["properties"].items():
        kept = {key: value for key, value in told.items() if key not in ("description", "title")}
        one = {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": kept}
        found.append(one | ({"description": told["description"]} if "description" in told else {}))
    return found
