"""Known plates and a gate for tests of the page: lists, a config that names them, an audit, and what a daemon says of both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge.config import Config, load
from edge.gate.audit import Audit, Row
from edge.lists.book import stamp_of
from edge.status import utc_iso

FAMILY = """\
name = "Family"
tolerance = 0.3

[[plates]]
plate = "B AB 1234"
name = "Anna"
group = "family"

[[plates]]
plate = "M-XY 8801"
name = "Max"
group = "family"
note = "the old estate car"
until = 2031-12-31

[[plates]]
plate = "HH Q 7"
name = "Cleaning"
group = "help"
times = ["Mon-Wed 08:00-12:30", "Fri 08:00-10:00"]
from = 2026-01-01

[[plates]]
plate = "K OO 100"
name = "Grandmother"
until = 2025-06-30
"""
UNWANTED = "plate,name,note\nK O0 100,,rammed the fence\nD SP 4711,Spam,\n"
CONFIG = """\
[lists]
allow = ["lists/family.toml"]
deny = ["lists/unwanted.csv"]
[country]
code = "de"
[gate]
enabled = true
audit = "gate.sqlite"
"""


def a_household(folder: Path, more: str = "", **files: str) -> Config:
    """Its config, whose file is `folder/platewatch.toml`."""
    (folder / "lists").mkdir(parents=True, exist_ok=True)
    for name, text in ({"family_toml": FAMILY, "unwanted_csv": UNWANTED} | files).items():
        (folder / "lists" / name.replace("_", ".")).write_text(text)
    sections = '[store]\npath = "events.sqlite"\n[runtime]\ndirectory = "run"\n[web]\naccess = "access.json"\n'
    (folder / "platewatch.toml").write_text(CONFIG + more + sections)
    return load(folder / "platewatch.toml")


def stamps(config: Config) -> dict[str, list[int]]:
    """As the daemon that has just read the lists tells them."""
    return {name: list(stamp_of(Path(name))) for kind in ("allow", "deny", "ignore") for name in getattr(config.lists, kind)}


def of_the_gate(**changes: Any) -> dict[str, Any]:
    told = {"dry_run": False, "opened": 3, "last": None, "trouble": "", "duty": {"on_s": 0.8, "most_s": 12.0}, "cooling": 1, "factor": None}
    return told | changes


def a_row(event: str = "one", reason: str = "welcome", **fields: Any) -> Row:
    opens = reason == "welcome"
    usual: dict[str, Any] = {
        "at": utc_iso(datetime.now(UTC)), "camera": "camera", "event": event, "plate": "BAB1234", "list": "Family", "label": "Anna", "distance": 0.0,
        "direction": "approaching", "agreeing": 4, "confidence": 0.94, "opens": opens, "dry_run": False, "reason": reason, "why": "Family" if opens else "",
    }  # fmt: skip
    return Row(**(usual | fields))


def an_audit(config: Config) -> None:
    """A stranger, a friend who opened, one who stood still, and a test; the newest is the one who stood still."""
    audit = Audit(config.gate.audit)
    now = datetime.now(UTC)
    nobody = {"plate": "", "list": "", "label": "", "distance": None}
    rows = [
        a_row("zero", "unknown plate", **nobody, agreeing=2, confidence=0.71),
        a_row("one"),
        a_row("", "test", **nobody, opens=True, direction="unknown", agreeing=0, confidence=0.0, why="test by jo"),
        a_row("two", "denied", plate="DSP4711", list="unwanted", label="Spam", why="unwanted"),
        a_row("three", "does not approach", plate="MXY8801", label="Max", direction="left", agreeing=3, confidence=0.88, why="left"),
    ]
    for age, row in zip((86400 * 2, 7000, 3000, 900, 40), rows, strict=True):
        audit.add(Row(**{name: getattr(row, name) for name in Row.__dataclass_fields__} | {"at": utc_iso(now - timedelta(seconds=age))}))
    audit.close()
