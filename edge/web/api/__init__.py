"""JSON for everything that the page shows or does. A new part of it is a module and one line in PARTS."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from edge.web.api.declare import api, problem
from edge.web.api.given import files

if TYPE_CHECKING:
    from flask import Flask

PARTS = ("status", "live", "setup", "events", "unread", "labels", "read", "lists", "gate", "model", "health", "settings", "access", "documents")
"""Modules in this folder whose endpoints are declared, in the order of the documents."""
__all__ = ["PARTS", "api", "files", "install", "problem"]


def install(app: Flask) -> None:
    """Declares all endpoints and puts them into the app."""
    for part in PARTS:
        importlib.import_module(f"edge.web.api.{part}")
    from edge.web.api import faults

    faults.install(api)
    app.register_blueprint(api)
