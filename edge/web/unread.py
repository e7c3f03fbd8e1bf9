"""The gallery of plates that gave no event, as it is shown."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from edge.gallery import shown
from edge.labels.book import PICTURE, label_for
from edge.labels.label import jpeg_size
from edge.status import utc_iso
from edge.store import Store
from edge.web.advice import advice
from edge.web.daemon_files import DaemonFiles
from edge.web.language import Language
from edge.web.words import reason as in_words

MOST = 1000
"""As `unread.keep` allows."""
HOURS = 24


def folder(files: DaemonFiles) -> Path:
    return Path(files.config.unread.directory or Path(files.config.runtime.directory) / "unread")


def picture(files: DaemonFiles, name: str) -> bytes | None:
    """Of the gallery; None where it has gone."""
    if not PICTURE.fullmatch(name):
        return None
    try:
        return (folder(files) / f"{name}.jpg").read_bytes()
    except OSError:
        return None


def gallery(files: DaemonFiles, language: Language, reason: str = "", before: str = "", limit: int = 24) -> dict[str, Any]:
    """As /api/unread answers. Raises StoreError."""
    store = files.store()
    pictures = [one for one in shown(folder(files), MOST) if PICTURE.fullmatch(one["name"]) and isinstance(one.get("reason"), str)]
    counts = store.reasons(utc_iso(files.utc_now() - timedelta(hours=HOURS)))
    pictured = Counter(str(one["reason"]) for one in pictures)
    names = sorted({*counts, *pictured}, key=lambda name: (-max(counts.get(name, 0), pictured[name]), name))
    reasons = [
        {"reason": name, "count": max(counts.get(name, 0), pictured[name]), "pictures": pictured[name], "words": in_words(name, language)} for name in names
    ]
    wanted = [one for one in pictures if (not reason or one["reason"] == reason) and (not before or one["name"] < before)]
    some = wanted[:limit]
    return {
        "reasons": reasons,
        "pictures": [_told(one, store, files, language) for one in some],
        "next": some[-1]["name"] if len(wanted) > limit else None,
    }


def _told(one: dict[str, Any], store: Store, files: DaemonFiles, language: Language) -> dict[str, Any]:
    label = label_for(store, one["name"])
    says = [language(f"unread.help.{key}", **values) for key, values in advice(one, files.config)]
    width, height = jpeg_size(picture(files, one["name"]) or b"") if one.get("crop") else (0, 0)
    usual: dict[str, Any] = {"at": "", "camera": "", "text": "", "crop": False, "confidence": 0.0, "width_px": 0.0, "frames": 0}
    one = usual | {key: value for key, value in one.items() if key not in usual or isinstance(value, (type(usual[key]), int))}
    said = {"words": in_words(one["reason"], language), "advice": says, "label": label.told.as_json() if label else None}
    return one | {"width": width, "height": height} | said
