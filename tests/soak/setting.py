"""The folder of a soak: the daemon's config with short retention, its lists, and what of them changes on the way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

RETENTION_H, KNOWN_H = 4.0, 6.0
HOOK_WAIT_S = 120.0


def write_setting(folder: Path, hook: str, allow: Sequence[str], deny: Sequence[str], ignore: Sequence[str]) -> Path:
    """Make the folder's files; the config's path. Everything is on: gallery, lists, gate (dry run), a file and a web hook as targets."""
    folder.mkdir(parents=True, exist_ok=True)
    write_lists(folder, allow, deny, ignore)
    lines = [
        "[camera]", 'name = "soak"', 'kind = "opencv"', "width = 1280", "height = 720",
        "[store]", 'path = "events.sqlite"', f"retention_days = {RETENTION_H / 24}", f"known_days = {KNOWN_H / 24}", "keep_at_least_mb_free = 0",
        "[unread]", "keep = 30", "hours = 3.0",
        "[lists]", 'allow = ["allow.csv"]', 'deny = ["deny.csv"]', 'ignore = ["ignore.csv"]',
        "[gate]", "enabled = true", "dry_run = true", 'audit = "gate.sqlite"', f"audit_days = {RETENTION_H / 24}",
        "[runtime]", 'directory = "run"',
        "[[targets]]", 'name = "file"', 'kind = "jsonl"', 'path = "events.jsonl"', "rotate_mb = 0.1", "keep_files = 2",
        "[[targets]]", 'name = "hook"', 'kind = "webhook"', f"url = {json.dumps(hook)}", 'picture = "base64"',
        'stages = ["preview", "final"]', f"longest_wait_s = {HOOK_WAIT_S}",
    ]  # fmt: skip
    path = folder / "soak.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_lists(folder: Path, allow: Sequence[str], deny: Sequence[str], ignore: Sequence[str]) -> None:
    for name, plates in (("allow", allow), ("deny", deny), ("ignore", ignore)):
        fresh = folder / f".{name}"
        fresh.write_text("plate,name\n" + "".join(f"{plate},{name} {place}\n" for place, plate in enumerate(plates)), encoding="utf-8")
        fresh.replace(folder / f"{name}.csv")
