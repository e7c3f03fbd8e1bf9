"""The gate as the API answers it and the room shows it: from the status file, the config and the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from edge.config import Config
from edge.errors import StoreError
from edge.gate.conditions import conditions
from edge.gate.decisions import Decided, Decisions
from edge.gate.settings import GateConfig
from edge.store import Store
from edge.web.api.given import files
from edge.web.config_now import config_now

State = Literal["off", "gone", "starting", "fault", "dry_run", "armed"]
TONES: dict[State, str] = {"off": "off", "gone": "bad", "starting": "wait", "fault": "bad", "dry_run": "wait", "armed": "good"}


def state_of(config: GateConfig, daemon: dict[str, Any] | None, alive: bool) -> tuple[State, str]:
    """And the daemon's own sentence where something is wrong."""
    if not config.enabled:
        return "off", ""
    if not alive or daemon is None:
        return "gone", ""
    told = daemon.get("gate")
    if not isinstance(told, dict):
        return "starting", ""
    trouble = str((daemon.get("lists") or {}).get("trouble") or "") or str(told.get("trouble") or "")
    if trouble:
        return "fault", trouble
    return ("dry_run" if told.get("dry_run") else "armed"), ""


def now() -> dict[str, Any]:
    config, daemon = config_now().gate, files().status()
    state, trouble = state_of(config, daemon, files().is_alive(daemon))
    told = ((daemon or {}).get("gate") or {}) if state not in ("off", "gone") else {}
    duty = told.get("duty") or {}
    return {
        "state": state,
        "tone": TONES[state],
        "trouble": trouble or None,
        "way": way(config),
        "second_factor": config.second_factor or None,
        "factor": told.get("factor"),
        "opened": int(told.get("opened") or 0),
        "cooling": int(told.get("cooling") or 0),
        "duty": {"on_s": float(duty.get("on_s") or 0.0), "most_s": float(duty.get("most_s") or 60 * config.max_duty)},
        "cooldown_s": config.cooldown_s,
        "pulse_s": config.pulse_s,
        "can_test": state in ("dry_run", "armed"),
    }


def way(config: GateConfig) -> dict[str, str]:
    """What opens it: kind and name. The words of a program after its first are left out, since they may hold a secret."""
    if config.gpio is not None:
        return {"kind": "gpio", "name": str(config.gpio)}
    if config.command:
        return {"kind": "command", "name": Path(config.command[0]).name}
    return {"kind": "send_to", "name": config.send_to.partition("?")[0]} if config.send_to else {"kind": "none", "name": ""}


def decisions() -> Decisions:
    return Decisions(Path(config_now().gate.audit))


def decided(one: Decided, config: Config) -> dict[str, Any]:
    """With its conditions; none for a test."""
    told = asdict(one.row) | {"seq": one.seq, "test": not one.row.event}
    return told | {"conditions": [asdict(found) for found in conditions(one.row, config.gate)] if one.row.event else []}


def pictured(found: Sequence[Decided]) -> tuple[set[str], set[str]]:
    """Ids of the events that are still there, and of those with a picture."""
    ids = [one.row.event for one in found if one.row.event]
    try:
        return known_events(files().store(), ids)
    except StoreError:  # the decisions can be shown without
        return set(), set()


def known_events(store: Store, ids: Sequence[str]) -> tuple[set[str], set[str]]:
    marks = ", ".join("?" * len(ids))
    rows = store.rows(f"SELECT id, crops.event IS NOT NULL FROM events LEFT JOIN crops ON crops.event = id WHERE id IN ({marks})", *ids) if ids else []
    return {row[0] for row in rows}, {row[0] for row in rows if row[1]}
