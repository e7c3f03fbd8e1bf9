"""What a replay found, as tables for a person and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edge.replay.pairs import Pairs, Score, pair
from edge.replay.play import Replayed, Seen, Told

if TYPE_CHECKING:
    from rich.console import Console


def as_json(told: Mapping[str, Replayed], scores: Mapping[str, Score]) -> dict[str, Any]:
    """{"v": 1, "first": {...}, and where asked for "second", "compared", and "truth" in each}."""
    found: dict[str, Any] = {"v": 1}
    for which, one in told.items():
        found[which] = one.as_json() | ({"truth": _score_json(scores[which])} if which in scores else {})
    if "second" in told:
        pairs = pair(told["first"].events, told["second"].events)
        found["compared"] = {
            "both": [{"text": one.text, "from_s": round(one.from_s, 3)} for one, _ in pairs.same],
            "differing": [{"first": one.text, "second": other.text, "from_s": round(one.from_s, 3)} for one, other in pairs.differing],
            "only_first": [_seen_json(one) for one in pairs.only_left],
            "only_second": [_seen_json(one) for one in pairs.only_right],
        }
    return found


def _score_json(score: Score) -> dict[str, Any]:
    return {
        "right": [_seen_json(one) for one in score.right],
        "wrong": [_seen_json(one) | {"read": other.text} for one, other in score.wrong],
        "missed": [_seen_json(one) for one in score.missed],
        "invented": [_seen_json(one) for one in score.invented],
        "repeated": [_seen_json(one) for one in score.repeated],
    }


def _seen_json(one: Seen) -> dict[str, Any]:
    return {"text": one.text, "from_s": round(one.from_s, 3), "to_s": round(one.to_s, 3)}


def show(told: Mapping[str, Replayed], scores: Mapping[str, Score]) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for which, one in told.items():
        _show_one(console, one, which if len(told) > 1 else "")
        if which in scores:
            _show_score(console, scores[which])
    if "second" in told:
        _show_pairs(console, pair(told["first"].events, told["second"].events))


def _show_one(console: Console, one: Replayed, which: str) -> None:
    from rich.table import Table

    rows: list[tuple[float, tuple[str, ...]]] = [(event.to_s, _event_row(event)) for event in (*one.previews, *one.events)]
    rows += [(gone.to_s, ("no event", clock(gone.from_s), clock(gone.to_s), gone.text, "", f"{gone.reason}, {_seen(gone.facts)}")) for gone in one.unread]
    table = Table(title=f"{which}: {one.name}" if which else one.name)
    for name in ("what", "from", "to", "text", "confidence", "how"):
        table.add_column(name)
    for _, row in sorted(rows):
        table.add_row(*row)
    if rows:
        console.print(table)
    else:
        console.print(f"{one.name}: no plate passed")
    bundles = ", ".join(f"{kind} {bundle['name']}" for kind, bundle in one.bundles.items())
    pace = f", {one.length_s / one.took_s:.1f} times as fast as it was recorded" if one.length_s else ""
    console.print(f"{one.frames} frames in {one.took_s:.1f} s: {one.frames / one.took_s:.0f} frames/s{pace}; {one.looked} of them were looked at ({bundles})")
    if one.cut_short > 1:
        console.print(f"the recording is cut off or damaged: it says that it has {one.cut_short} frames more than could be read")
    if one.skipped:
        console.print(f"{one.skipped} frames could not be decoded")
    if total := one.stages_ms.get("total"):
        console.print(f"a frame that is looked at takes {total['median']:.2f} ms (median of the last 200; 95th percentile {total['p95']:.2f})")
    if one.reasons:
        console.print("no event: " + ", ".join(f"{reason} {count}" for reason, count in one.reasons.items()))


def _event_row(event: Told) -> tuple[str, ...]:
    how = f"{event.agreeing} of {event.looks} looks agree" + (f", list {event.list}" if event.list else "")
    return ("preview" if event.preview else "event", clock(event.from_s), clock(event.to_s), event.text, f"{event.confidence:.2f}", how)


def _seen(facts: Mapping[str, Any]) -> str:
    return f"{facts['frames']} frames, {facts['width_px']:.0f} px wide"


def _show_score(console: Console, score: Score) -> None:
    console.print(f"truth: {len(score.right)} right, {len(score.wrong)} wrong, {len(score.missed)} missed, {len(score.invented)} invented")
    for one, other in score.wrong:
        console.print(f"  wrong     {clock(one.from_s)}  {one.text} was read {other.text}")
    for words, ones in (("missed", score.missed), ("invented", score.invented), ("same pass", score.repeated)):
        for one in ones:
            console.print(f"  {words:<9} {clock(one.from_s)}  {one.text}")


def _show_pairs(console: Console, pairs: Pairs[Told, Told]) -> None:
    console.print(
        f"compared: {len(pairs.same)} events in both, {len(pairs.differing)} with another text, "
        f"{len(pairs.only_left)} only in the first, {len(pairs.only_right)} only in the second"
    )
    for one, other in pairs.differing:
        console.print(f"  differing   {clock(one.from_s)}  {one.text} -> {other.text}  ({one.confidence:.2f} -> {other.confidence:.2f})")
    for words, ones in (("only first", pairs.only_left), ("only second", pairs.only_right)):
        for event in ones:
            console.print(f"  {words:<11} {clock(event.from_s)}  {event.text}")


def clock(seconds: float) -> str:
    """83.25 -> 1:23.2"""
    tenths = int(10 * max(0.0, seconds))
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"
