"""What the endpoints of the bundles take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from edge.model.comparing import MOST_CROPS
from edge.web.api.declare import Model

Kind = Literal["detector", "reader"]
Name = Annotated[str, Field(min_length=1, max_length=80, description="A bundle that was uploaded, or `detector` or `reader` for those that ship.")]


class ShareAnswer(Model):
    """A share with its 95 % interval (Wilson); null where there was nothing to count."""

    right: int
    of: int
    share: float | None
    low: float | None
    high: float | None


class ProofAnswer(ShareAnswer):
    figure: str = Field(description="`read_exact`: plates read without a fault; `recall`: plates found.")


class SpeedAnswer(Model):
    threads: int
    ms: float = Field(description="Median over the pictures of one run, its input's quantization included.")
    runs: int


class BundleAnswer(Model):
    """A bundle with what its manifest says; the keys of the manifest are missing where `trouble` says why it cannot be used."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    name: str
    bytes: int
    made_at: str
    shipped: bool
    in_use: bool = Field(description="Chosen in the configuration; what the daemon has in use stands under `in_use`.")
    foreign: bool = Field(description="A folder of the owner's, which was not uploaded here.")
    trouble: str
    self_test: str = Field(description="As it was found when the bundle came; empty for what ships, which `platewatch doctor` tests.")
    proof: dict[str, ProofAnswer] = Field(description="`int8` and `float`, as far as the manifest tells.")
    measured: list[SpeedAnswer] = Field(description="By `platewatch bench` on this device (models.measured).")


class InUseAnswer(Model):
    """What the running daemon has in use."""

    name: str | None
    sha256: str | None
    since: str | None
    previous: dict[str, Any] | None = Field(description="Still beside it, while it is on trial.")
    rolled_back: int | None
    refused: str = Field(description="Why the last that was offered is not in use.")
    median_ms: float | None
    p95_ms: float | None


class ExaminedAnswer(Model):
    state: Literal["good", "note", "bad"]
    words: str
    at: str


class ModelsAnswer(Model):
    bundles: list[BundleAnswer]
    in_use: dict[Kind, InUseAnswer | None]
    previous: dict[Kind, str] = Field(description="What was chosen before, for the way back; empty where nothing is known.")
    examined: dict[Kind, ExaminedAnswer | None] = Field(description="What the doctor last said of the bundle that was in use then.")
    problem: str | None = Field(description="Why none can be chosen.")


class DoneAnswer(Model):
    sentence: str


class UploadQuery(Model):
    file: str = Field(default="", max_length=200, description="The file's name, for sentences.")


class ArrivalAnswer(Model):
    """How far the last upload is."""

    state: Literal["", "running", "done", "failed", "cancelled"]
    file: str = ""
    step: Literal["", "unpack", "verify", "self-test"] = Field(default="", description="Where it is, or where it failed.")
    bundle: str = ""
    self_test: str = ""
    sentence: str = ""


class KindBody(Model):
    kind: Kind


class CompareBody(Model):
    one: Name
    other: Name
    most: int = Field(default=500, ge=1, le=MOST_CROPS, description="So many plates at most: labelled ones first, then the newest.")


class DifferingAnswer(Model):
    event: str
    texts: tuple[str, str]
    confidences: tuple[float, float]
    truth: str = Field(description="What a person said; empty where nobody did.")


class ResultAnswer(Model):
    plates: int
    alike: int
    unreadable: int
    labelled: int
    agreement: ShareAnswer
    differing: int = Field(description="How many are listed: not all where there are very many.")


class VerdictAnswer(Model):
    """On labelled plates alone. Who labels chooses what: they are no random sample."""

    sides: tuple[ShareAnswer, ShareAnswer]
    alone: tuple[int, int] = Field(description="Plates that only this one of the two read right.")
    p: float | None = Field(description="McNemar's exact test, two-sided.")
    better: Literal[0, 1] | None = Field(description="Null: the figures do not tell.")


class ComparisonAnswer(Model):
    state: Literal["running", "done", "failed", "cancelled"] | None
    one: str | None
    other: str | None
    done: int
    total: int
    sentence: str | None
    result: ResultAnswer | None
    verdict: VerdictAnswer | None
    differing: list[DifferingAnswer] = Field(description="For who has `events:read`.")
