"""The JSON Schema of the native dialect: `platewatch targets --schema` prints it, `docs/schemas/event.schema.json` keeps it."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Field(ge=0, le=1)
Point = tuple[float, float]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CharacterRow(Part):
    """One character and the confidence in it."""

    char: str = Field(pattern="^[A-Z0-9]$")
    confidence: float = Share


class RuleRow(Part):
    """What a country's format made of the text."""

    format: str = Field(description="The pattern that decided.")
    cost: float = Field(description="Nats by which the text is less probable than what was read.")
    margin: float = Field(description="Nats to the next text that fits.")


class MatchRow(Part):
    """The plate of one of the owner's lists that this one was taken for."""

    list: str = Field(description="The list's name.")
    kind: Literal["allow", "deny", "ignore"]
    plate: str = Field(description="As the list has it.")
    label: str = ""
    group: str = ""
    distance: float = Field(default=0.0, ge=0, description="0: the very text.")
    due: bool = Field(default=True, description="False outside the entry's dates and times.")


class EventRow(Part):
    """One pass of one vehicle. Keys are added in later versions, never changed or taken away: ignore those that you do not know."""

    v: Literal[1] = Field(description="Version of this format.")
    id: str = Field(description="The same for a preview and its event, and when one is sent again: what was seen before under (id, stage) is no news.")
    camera: str
    stage: Literal["preview", "final", "withdrawn"] = Field(
        description="`preview` comes while the vehicle is still there; `withdrawn`, with few keys, only after a preview, and no `final` follows."
    )
    preview: bool = Field(description="The same, as it is stored.")
    text: str = Field(pattern="^[A-Z0-9]+$", description="The plate, the upper line first.")
    raw_text: str = Field(description="What was read before a country's rules.")
    rule: RuleRow | None
    confidence: float = Field(ge=0, le=1, description="Of the whole text.")
    characters: list[CharacterRow]
    first_seen: str = Field(json_schema_extra={"format": "date-time"}, description="UTC, ISO 8601.")
    last_seen: str = Field(json_schema_extra={"format": "date-time"}, description="UTC, ISO 8601.")
    duration_s: float = Field(ge=0)
    dwell_s: float = Field(ge=0, description="The longest time that the plate stood still.")
    looks: int = Field(ge=0, description="Looks at the plate that voted.")
    agreeing: int = Field(ge=0, description="Looks that read the whole text.")
    lines: int = Field(ge=1, le=2)
    country: str | None
    direction: Literal["approaching", "leaving", "left", "right", "unknown"]
    match: MatchRow | None
    detection_score: float = Share
    quad: tuple[Point, Point, Point, Point] = Field(description="Corners [x, y] in pixels of the frame, clockwise from the plate's top-left.")
    picture_jpeg: str | None = Field(default=None, json_schema_extra={"contentEncoding": "base64"}, description="The crop, where the target asks for it.")
    picture_file: str | None = Field(default=None, description="The crop's file, where the target asks for that.")
    withdrawn: Literal[False] = Field(default=False, description="True: the preview of this id should not have been; forget it.")
    test: bool = Field(default=False, description="True for `platewatch targets --test`: no plate was seen.")


class WithdrawnRow(Part):
    """A preview that should not have been: its plate is one that is ignored. Nothing of the plate is said."""

    v: Literal[1]
    id: str
    camera: str
    stage: Literal["withdrawn"]
    withdrawn: Literal[True]


def schema() -> dict[str, object]:
    """Of both: what a withdrawal leaves out is required of every other."""
    made = EventRow.model_json_schema()
    made["additionalProperties"] = True  # of later versions
    made["properties"]["withdrawn"] = {key: value for key, value in made["properties"]["withdrawn"].items() if key != "const"} | {"type": "boolean"}
    always = list(set(made["required"]) & set(WithdrawnRow.model_fields))
    usual, made["required"] = made["required"], [key for key in made["required"] if key in always]
    made["if"] = {"properties": {"withdrawn": {"const": True}}, "required": ["withdrawn"]}
    made["then"] = {"description": " ".join((WithdrawnRow.__doc__ or "").split()), "properties": {"stage": {"const": "withdrawn"}}}
    made["else"] = {"required": usual, "properties": {"stage": {"enum": ["preview", "final"]}}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "Platewatch event"}


def text() -> str:
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
