"""What the endpoints of the device's health take and give. What the machine does not tell is null."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge.web.api.declare import Model


class BoardAnswer(Model):
    model: str
    system: str
    python: str
    cores: int
    load: float = Field(description="Processes that want to run, of the last minute.")
    uptime_s: int | None


class GovernorAnswer(Model):
    step: int = Field(description="0: nothing is slowed down.")
    words: str


class MemoryAnswer(Model):
    """Bytes."""

    total: int | None
    free: int | None = Field(description="What could be had without swapping.")
    swap: int | None
    swap_free: int | None


class DiskAnswer(Model):
    """Bytes, of the disk that the store is on."""

    total: int | None
    free: int | None
    store: int
    keep_free: int = Field(description="Below it old events go.")


class WrittenAnswer(Model):
    """Bytes that the daemon has written to the disk, by the day in UTC."""

    today: int | None
    yesterday: int | None


class CameraAnswer(Model):
    state: str
    detail: str
    fps: float | None
    worked_fps: float | None
    frames: int
    dropped: int = Field(description="A newer frame came before there was time for them.")
    skipped: int
    reopened: int
    losses: dict[str, int]


class DaemonAnswer(Model):
    alive: bool
    version: str | None
    started_at: str | None
    resident_bytes: int | None
    threads: int | None
    threads_by: str | None = Field(description="set, measured or guessed.")
    waits: str = Field(description="What a restart is needed for, or why a config was refused.")


class PageAnswer(Model):
    version: str
    uptime_s: int
    resident_bytes: int | None


class ClockAnswer(Model):
    plausible: bool
    synchronised: bool | None


class TargetAnswer(Model):
    name: str
    kind: str
    dialect: str
    connected: bool | None
    failing: bool
    failing_since: str
    pending: int
    oldest_at: str | None = Field(description="When the oldest event that waits was last seen.")
    refused: int = Field(description="Set aside, since the target would not have them.")
    delivered: int
    dropped: int
    last_error: str
    last_error_at: str
    last_delivered_at: str


class TroubleAnswer(Model):
    """What needs somebody."""

    tone: Literal["wait", "bad"]
    key: str
    sentence: str = Field(description="In the language of the request.")
    mend: str
    words: str = Field(description="The daemon's own, in English.")


class HealthAnswer(Model):
    now: str
    board: BoardAnswer
    temperature_c: float | None
    supply: list[str] | None = Field(description="Troubles of power and heat, `... now` or `... since the start`; null: nobody to ask.")
    governor: GovernorAnswer
    memory: MemoryAnswer
    disk: DiskAnswer
    written: WrittenAnswer
    camera: CameraAnswer
    daemon: DaemonAnswer
    page: PageAnswer
    clock: ClockAnswer
    targets: list[TargetAnswer]
    troubles: list[TroubleAnswer]


class HistoryAnswer(Model):
    """The last day, a value every ten minutes, the oldest first; `at` in seconds since 1970."""

    at: list[float | None]
    temperature_c: list[float | None]
    fps: list[float | None]
    free_mb: list[float | None]
    dropped: list[float | None] = Field(description="Since the value before.")


class FindingAnswer(Model):
    state: Literal["good", "note", "bad"]
    what: str
    words: str
    mend: str


class DoctorAnswer(Model):
    state: Literal["", "running", "done", "broken off"]
    at: str | None
    findings: list[FindingAnswer]


class AccessesQuery(Model):
    limit: int = Field(default=100, ge=1, le=1000)


class LookAnswer(Model):
    at: str
    who: str
    did: str
    events: int


class AccessesAnswer(Model):
    accesses: list[LookAnswer]


class SaidAnswer(Model):
    sentence: str
