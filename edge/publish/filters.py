"""Which events a target wants. Pure."""

from __future__ import annotations

from typing import Any

from edge.publish.dialects import DIALECTS
from edge.publish.settings import TargetConfig
from edge.publish.told import match, stage


def wants(target: TargetConfig, row: dict[str, Any], has_picture: bool) -> bool:
    """`row` is the event as JSON."""
    if stage(row) not in target.stages or row["confidence"] < target.min_confidence:
        return False
    if DIALECTS[target.dialect].needs_picture_file and not has_picture:
        return False
    return target.lists == "all" or (target.lists == "known") == (match(row) is not None)
