"""The config's section on lists of known plates."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, field_validator

from edge.section import Section

Kind = Literal["allow", "deny", "ignore"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class ListsConfig(Section):
    """Known plates: each list is a TOML or CSV file."""

    allow: list[str] = Field(default=[], description="Files of plates that are welcome: named in events, and the gate may open for them.")
    deny: list[str] = Field(default=[], description="Files of plates that are not: named in events, and the gate stays closed, whatever an `allow` list says.")
    ignore: list[str] = Field(default=[], description="Files of plates that are never stored, published or shown.")
    tolerance: float = Field(
        default=0.5,
        ge=0,
        le=3,
        description="How far a read may be from a listed plate: a look-alike such as O for 0 costs 0.2 to 0.5, any other difference 1; 0 takes exact reads "
        "alone. A list may say otherwise.",
    )
    time_zone: str = Field(default="", description='Zone of the lists\' dates and times, such as `"Europe/Berlin"`; empty: that of the device.')

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        from edge.lists.schedule import zone

        zone(name)
        return name

    def absolute(self, base: Path) -> Self:
        changes: dict[str, Any] = {kind: [str(base / name) for name in getattr(self, kind)] for kind in KINDS}
        return self.model_copy(update=changes)
