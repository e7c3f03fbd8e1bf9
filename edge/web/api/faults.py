"""What the code below the API may raise, as answers in the one shape."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from edge.errors import PlatewatchError, StoreError
from edge.web import query
from edge.web.api.declare import problem


class Said(HTTPException):
    """An answer that needs no page of its own."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def store_problem(error: StoreError) -> ResponseReturnValue:
    return problem(Said(503, str(error)))


def query_problem(error: query.BadQuery) -> ResponseReturnValue:
    return problem(Said(400, str(error)))


def other_problem(error: PlatewatchError) -> ResponseReturnValue:
    """What is the owner's to mend, in its own sentence."""
    said = str(error)
    return problem(Said(409, f"{said[:1].upper()}{said[1:].rstrip('.')}."))


def install(api: Blueprint) -> None:
    if not api._got_registered_once:  # the blueprint is one for all apps of a process, as the tests make many
        api.register_error_handler(StoreError, store_problem)
        api.register_error_handler(query.BadQuery, query_problem)
        api.register_error_handler(PlatewatchError, other_problem)
