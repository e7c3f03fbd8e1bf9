"""The published JSON Schema of events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from edge.cli import main
from edge.publish.dialects import native
from edge.publish.schema import EventRow, WithdrawnRow, text
from edge.publish.told import Told, withdrawal
from edge.records import Match, Rule
from tests.builders import an_event

FILE = Path(__file__).parents[2] / "docs/schemas/event.schema.json"


def test_the_published_file_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """`platewatch targets --schema > docs/schemas/event.schema.json` renews it."""
    assert main(["targets", "--schema"]) == 0
    assert capsys.readouterr().out == text() == FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("event", [an_event(), an_event(preview=True, match=Match("family", "allow", "AB12CDE"), rule=Rule("LL", 0.5, 2.0), direction="left")])
def test_every_key_that_is_sent_is_described(event) -> None:
    """And has the type that is promised; a key that the schema does not know fails here."""
    EventRow.model_validate(native.document(Told(event.as_json(), picture=b"x", test=True)))
    EventRow.model_validate(native.document(Told(event.as_json(), picture=b"x", picture_file="1.jpg")))


def test_what_is_no_event_does_not_fit() -> None:
    with pytest.raises(ValidationError):
        EventRow.model_validate(native.document(Told(an_event().as_json() | {"text": "ab 12", "invented": 1})))


def test_a_withdrawal_is_described_and_has_nothing_of_the_plate() -> None:
    """No text is asked for in it, and every other event still needs all its keys."""
    made = native.document(Told(withdrawal("1", "gate")))
    assert WithdrawnRow.model_validate(made).model_dump() == made
    described = json.loads(text())
    assert set(made) >= set(described["required"])
    assert {"text", "quad", "confidence"} <= set(described["else"]["required"])


def test_readers_may_meet_new_keys() -> None:
    schema = json.loads(text())
    assert schema["additionalProperties"] is True
    assert all("description" in field or "$ref" in json.dumps(field) for key, field in schema["properties"].items() if key in ("id", "stage", "quad", "test"))
