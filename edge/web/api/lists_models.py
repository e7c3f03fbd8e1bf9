"""What the endpoints of the lists take and give."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge.lists.settings import Kind
from edge.web.api.declare import Model

LONGEST = 200


class ListTold(Model):
    id: str = Field(description="Its place in addresses.")
    file: str
    name: str
    kind: Kind
    plates: int = Field(ge=0)
    tolerance: float = Field(description="How far a read may be from a plate of it.")
    problem: str | None = Field(description="Why its file cannot be used.")
    etag: str = Field(description="Goes along with every change; who has read an older file is refused.")
    taken: bool = Field(description="The daemon has read it as it stands.")


class Clash(Model):
    """A plate that an entry of a stronger list also catches, so that its own list is never heard."""

    plate: str
    list: str
    kind: Kind
    rival: str
    rival_list: str
    rival_kind: Kind
    while_due: bool = Field(description="Only while the rival counts: their times differ.")


class ListsAnswer(Model):
    lists: list[ListTold]
    clashes: list[Clash] = Field(description="At most 50.")
    daemon: bool = Field(description="It runs, and takes changes by itself.")
    trouble: str | None = Field(description="Why the daemon cannot use the lists as they stand; it goes on with those of before, and the gate stays closed.")


class NewList(Model):
    name: str = Field(min_length=1, max_length=80, description="A file's name, such as family.toml or guests.csv.")
    kind: Kind


class EntryTold(Model):
    plate: str = Field(description="As it is written.")
    spelt: str = Field(description="As the reader spells it.")
    name: str
    group: str
    note: str
    first: str = Field(alias="from", description="The first day, or empty.")
    until: str
    times: str = Field(description="Such as `Mon-Fri 07:00-18:00; Sat`; empty: always.")
    due: bool = Field(description="It counts at this moment.")


class EntriesQuery(Model):
    text: str = Field(default="", max_length=LONGEST, description="Part of the plate, name, group or note.")
    offset: int = Field(default=0, ge=0, le=1_000_000)
    limit: int = Field(default=50, ge=1, le=500)


class EntriesAnswer(ListTold):
    entries: list[EntryTold] = Field(description="The newest first.")
    found: int = Field(ge=0, description="So many fit.")


class EntryFields(Model):
    plate: str = Field(min_length=1, max_length=LONGEST)
    name: str = Field(default="", max_length=LONGEST)
    group: str = Field(default="", max_length=LONGEST)
    note: str = Field(default="", max_length=LONGEST)
    first: str = Field(default="", alias="from", max_length=LONGEST)
    until: str = Field(default="", max_length=LONGEST)
    times: str = Field(default="", max_length=LONGEST)


class EntryBody(EntryFields):
    etag: str = Field(max_length=64, description="Of the list as it was read.")


class ListChange(Model):
    tolerance: float | None = Field(ge=0, le=3, description="Its own, or null for that of the config. TOML alone has a place for it.")
    etag: str = Field(max_length=64)


class EtagQuery(Model):
    etag: str = Field(max_length=64, description="Of the list as it was read.")


class ImportQuery(Model):
    etag: str = Field(default="", max_length=64, description="Of the list as it was read; needed to write.")
    write: Literal["", "0", "1"] = Field(default="", description="1 writes it; else it is only told what it would do.")


class ImportRow(Model):
    plate: str
    name: str
    group: str
    note: str
    first: str = Field(alias="from")
    until: str
    times: str


class ImportChange(Model):
    before: ImportRow
    after: ImportRow


class ImportRefusal(Model):
    line: int
    why: str


class ImportAnswer(Model):
    new: list[ImportRow]
    changed: list[ImportChange]
    same: int
    refused: list[ImportRefusal]
    written: bool
    etag: str = Field(description="Of the list as it stands now.")


class ReachQuery(Model):
    tolerance: float | None = Field(default=None, ge=0, le=3, description="As if the list had this; left out: its own.")
    plate: str = Field(default="", max_length=40, description="Only this plate of the list.")


class Chances(Model):
    p: float = Field(ge=0, le=1, description="Probability that a random plate is taken for it.")
    one_in: int | None = Field(description="The same as one of so many; null for never.")
    at_least: bool = Field(description="None was drawn, so that it is one of more than that.")
    draws: int = Field(ge=0, description="How many plates were drawn; 0: counted.")


class Lookalike(Model):
    text: str
    distance: float


class ReachAnswer(Model):
    tolerance: float
    odds: Chances
    plate: str | None
    others: int | None = Field(description="How many other texts are taken for the plate; null: too many to list.")
    plates: int | None = Field(description="How many of those are plates of the configured countries; null: of no country in particular.")
    nearest: list[Lookalike]


class MatchQuery(Model):
    text: str = Field(min_length=1, max_length=40, description="A plate, written as you like.")


class MatchTold(Model):
    list: str
    kind: Kind
    plate: str
    label: str
    group: str
    distance: float
    due: bool


class NearTold(Model):
    list: str
    kind: Kind
    plate: str
    name: str
    distance: float
    tolerance: float
    within: bool = Field(description="No farther than the list's tolerance.")
    due: bool = Field(description="It counts at this moment.")


class MatchAnswer(Model):
    text: str
    match: MatchTold | None = Field(description="What the daemon would take it for now; null for a stranger.")
    near: list[NearTold]
