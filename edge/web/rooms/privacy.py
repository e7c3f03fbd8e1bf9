"""A sign to print for those who come by, and the sheet on data protection with the device's real figures. Nothing typed here is stored."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from edge.config import Config
from edge.publish.settings import TargetConfig
from edge.settings_file.secrets import masked
from edge.web.config_now import config_now
from edge.web.door import door
from edge.web.language import LANGUAGES, Language
from edge.web.rooms.room import Room
from edge.web.scopes import needs
from edge.web.speech import spoken

pages = Blueprint("privacy", __name__)
ROOM = Room(
    "privacy",
    pages,
    path="/privacy",
    scope="settings:read",
    group="device",
    icon="M12 3l7 3v5c0 4.500-3 8-7 10c-4-2-7-5.500-7-10V6zM9 12l2 2l4-4",
)
PAPERS = ("a4", "a5")
LONGEST = 400


def typed(name: str, usual: str = "") -> str:
    return request.form.get(name, usual).strip()[:LONGEST]


@pages.route("/privacy", methods=["GET", "POST"])
@needs("settings:read")
def sign() -> ResponseReturnValue:
    """POST shows what was typed, and keeps none of it: neither here nor in an address."""
    config, speak = config_now(), LANGUAGES.get(typed("language"), spoken())
    paper = typed("paper") if typed("paper") in PAPERS else PAPERS[0]
    kept = typed("kept") if request.method == "POST" and typed("language") == typed("language_before") else kept_words(config, speak)
    return render_template(
        "privacy_sign.html",
        speak=speak,
        paper=paper,
        given={name: typed(name) for name in ("name", "contact", "purpose")},
        kept=kept,
        tongues=[(one.code, one.name) for one in LANGUAGES.values()],
    )


@pages.get("/privacy/record")
@needs("settings:read")
def record() -> ResponseReturnValue:
    config = config_now()
    return render_template(
        "privacy_record.html",
        config=config,
        whole=whole,
        recipients=[where(one) for one in config.targets],
        encrypted=config.web.encrypted,
        locked=door().has_lock,
    )


def kept_words(config: Config, speak: Language) -> str:
    """For how long a stranger's plate is kept, as the config has it."""
    if config.privacy.known_only:
        return speak("privacy.kept.none")
    return speak("privacy.kept.pseudonyms" if config.privacy.pseudonyms else "privacy.kept.days", count=whole(config.store.retention_days))


def whole(days: float) -> int | float:
    return int(days) if days == int(days) else days


def where(target: TargetConfig) -> dict[str, Any]:
    """A recipient, without anything secret."""
    place = target.host or target.url or target.path or (target.command[0] if target.command else "")
    return {"name": target.name, "kind": target.kind, "place": masked("url", place), "pictures": target.picture != "none", "encrypted": encrypted(target)}


def encrypted(target: TargetConfig) -> bool:
    return target.tls or target.url.startswith("https://")
