"""The results as a file: JSON, or JUnit's XML for whoever has a CI."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from deploy.fleet.acts import Outcome
from deploy.fleet.errors import FleetError

KINDS = (".json", ".xml")


def check(path: Path) -> None:
    """Before anything is done: raises FleetError for a file that could not be written at the end."""
    if path.suffix not in KINDS:
        raise FleetError(f"--report {path}: name a file that ends in {' or '.join(KINDS)}")
    if not path.absolute().parent.is_dir() or path.is_dir():
        raise FleetError(f"--report {path}: name a file in a folder that is there")


def write(path: Path, command: str, outcomes: Sequence[Outcome], at: datetime | None = None) -> None:
    """Whole or not at all."""
    when = (at or datetime.now(UTC)).isoformat(timespec="seconds")
    text = as_xml(command, outcomes, when) if path.suffix == ".xml" else as_json(command, outcomes, when)
    draft = path.with_name(f".{path.name}.tmp")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise FleetError(f"--report {path}: cannot be written ({error.strerror})") from None


def as_json(command: str, outcomes: Sequence[Outcome], when: str) -> str:
    """`well` is true when every device is ok."""
    rows = [
        {"device": one.device, "state": one.state, "words": one.words, "release": one.release, "seconds": round(one.seconds, 1), "told": dict(one.told)}
        for one in outcomes
    ]
    return json.dumps({"v": 1, "command": command, "at": when, "well": all(one.ok for one in outcomes), "devices": rows}, indent=1, ensure_ascii=False) + "\n"


def as_xml(command: str, outcomes: Sequence[Outcome], when: str) -> str:
    failed, held = (sum(one.state == state for one in outcomes) for state in ("failed", "held"))
    told = {"name": f"platewatch {command}", "tests": str(len(outcomes)), "failures": str(failed), "skipped": str(held), "errors": "0", "timestamp": when}
    suite = ElementTree.Element("testsuite", told)
    for one in outcomes:
        case = ElementTree.SubElement(suite, "testcase", {"classname": "platewatch", "name": one.device, "time": f"{one.seconds:.1f}"})
        if not one.ok:
            ElementTree.SubElement(case, "failure" if one.state == "failed" else "skipped", {"message": one.words})
        if one.log:
            ElementTree.SubElement(case, "system-out").text = "\n".join(one.log)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
