"""The config file: read, tried, changed, written as text, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from edge.errors import ConfigError
from edge.settings_file import forms
from edge.settings_file.draft import Change, Draft
from edge.settings_file.keys import headings, keys
from edge.settings_file.problems import Problem
from edge.settings_file.settings import SettingsFile
from edge.web import configuring
from edge.web.api.declare import Link, endpoint
from edge.web.api.settings_models import (
    LARGEST_TEXT,
    CheckAnswer,
    CheckBody,
    RestoreBody,
    SaveBody,
    SavedAnswer,
    SaveTextBody,
    SettingsAnswer,
    TextAnswer,
    TextBody,
)

ETAG = {"etag": "$response.body#/etag"}
TEXT = {"text": "$response.body#/text"}
NEXT = Link("save_settings", body=ETAG), Link("restore_settings", body=ETAG)
look = partial(endpoint, scope="settings:read", tag="settings", errors=(409,))
act = partial(endpoint, scope="settings:write", tag="settings", errors=(409,))
LARGEST = 64 * 1024
LARGEST_AS_JSON = LARGEST_TEXT * 2
"""Line ends and quotation marks are written with two characters."""


def told(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [asdict(one) for one in problems]


def changes_of(body: CheckBody) -> list[Change]:
    """Raises ConfigError for what cannot be read as a value of its key."""
    return [forms.change(one.name, one.value, one.action) for one in body.changes]


def problems_of(body: CheckBody, file: SettingsFile) -> list[Problem]:
    """All that is wrong, also what cannot even be tried."""
    found, good = list[Problem](), list[Change]()
    for one in body.changes:
        try:
            good.append(forms.change(one.name, one.value, one.action))
        except ConfigError as error:
            found.append(Problem(one.name, str(error)))
    try:
        found += file.check(good).problems
    except ConfigError as error:
        found.append(Problem("", str(error)))
    return found


@look("GET", "/api/settings", summary="Every key, what it is set to, and what it means", answer=SettingsAnswer, links=NEXT)
def get_settings() -> dict[str, Any]:
    file = configuring.settings_file()
    opened = file.open()
    return {
        "etag": opened.etag,
        "file": str(file.path),
        "usable": opened.config is not None,
        "problems": told(opened.problems),
        "values": opened.values(),
        "written": opened.written(),
        "keys": [one.as_json() for one in keys()],
        "sections": headings(),
        "has_previous": file.has_previous(),
    }


@act("POST", "/api/settings/check", summary="Try changes without writing them", body=CheckBody, answer=CheckAnswer, largest=LARGEST)
def check_settings(body: CheckBody) -> dict[str, Any]:
    return {"problems": told(problems_of(body, configuring.settings_file()))}


@act("PUT", "/api/settings", summary="Change keys and put them in force", body=SaveBody, answer=SavedAnswer, largest=LARGEST, links=NEXT)
def save_settings(body: SaveBody) -> dict[str, Any]:
    """All of them or none. Comments and order of the file stay; the file of before is kept."""
    changes = changes_of(body)
    return configuring.saved(lambda file: file.save(changes, _etag(file, body.etag))).as_json()


@look(
    "GET",
    "/api/settings/text",
    summary="The config file as it is written",
    answer=TextAnswer,
    links=(Link("check_settings_text", body=TEXT), Link("save_settings_text", body={**ETAG, **TEXT})),
)
def get_settings_text() -> dict[str, Any]:
    opened = configuring.settings_file().open()
    return {"etag": opened.etag, "text": opened.shown_text(), "problems": told(opened.problems)}


@act("POST", "/api/settings/text/check", summary="Try a text without writing it", body=TextBody, answer=CheckAnswer, largest=LARGEST_AS_JSON)
def check_settings_text(body: TextBody) -> dict[str, Any]:
    return {"problems": told(checked_text(configuring.settings_file(), body.text).problems)}


@act(
    "PUT",
    "/api/settings/text",
    summary="Write the whole file and put it in force",
    body=SaveTextBody,
    answer=SavedAnswer,
    largest=LARGEST_AS_JSON,
    links=NEXT,
)
def save_settings_text(body: SaveTextBody) -> dict[str, Any]:
    return configuring.saved(lambda file: file.save_text(body.text, _etag(file, body.etag))).as_json()


@act("POST", "/api/settings/restore", summary="Go back to the file of before the last change", body=RestoreBody, answer=SavedAnswer, links=NEXT)
def restore_settings(body: RestoreBody) -> dict[str, Any]:
    """A second time takes that back."""
    return configuring.saved(lambda file: file.restore(_etag(file, body.etag))).as_json()


def checked_text(file: SettingsFile, text: str) -> Draft:
    """As `SettingsFile.check_text`, also where a mask stands for nothing."""
    try:
        return file.check_text(text)
    except ConfigError as error:
        return Draft(text, (Problem("", str(error)),), None)


def _etag(file: SettingsFile, known: str | None) -> str:
    return file.open().etag if known is None else known
