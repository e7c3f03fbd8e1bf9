"""The results as one table for people (markdown) and as JSON for programs. The table is made of the JSON alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from convert.quantize import VARIANTS
from edge.errors import ConfigError

NAME = "variants"
HEAD = ("network", "variant", "KiB", "AP50 or exact, %", "loses, points", "95 %", "ms", "A72, million", "A76, million")
CPUS = ("cortex-a72", "cortex-a76")
RESULTS = Path(__file__).resolve().parents[1] / "results"
AGAIN = "run python -m convert all again"


def write(result: dict[str, Any], out: Path) -> tuple[Path, Path]:
    """`variants.json` and `variants.md` in `out`. Raises ConfigError when they cannot be written."""
    paths = out / f"{NAME}.json", out / f"{NAME}.md"
    try:
        out.mkdir(parents=True, exist_ok=True)
        paths[0].write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        paths[1].write_text(markdown(result), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--out {out}: cannot be written ({error.strerror}); name another folder") from None
    return paths


def read(out: Path) -> dict[str, Any]:
    """The results in `out`. Raises ConfigError where there are none."""
    path = out / f"{NAME}.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); {AGAIN}") from None
    except ValueError:
        raise ConfigError(f"{path}: is no JSON; {AGAIN}") from None
    if not isinstance(found, dict) or found.get("v") != 1:
        raise ConfigError(f"{path}: not of this version; {AGAIN}")
    return found


def markdown(result: dict[str, Any]) -> str:
    """The table and what one must know to read it."""
    lines = [f"| {' | '.join(HEAD)} |", "|---|---|" + "---:|" * (len(HEAD) - 2)]
    for kind, network in result["networks"].items():
        lines += [f"| {' | '.join(_cells(kind, variant, network['variants'][variant]))} |" for variant in VARIANTS]
    return "\n".join([*lines, "", *_notes(result)]) + "\n"


def _cells(kind: str, variant: str, one: dict[str, Any]) -> list[str]:
    verdict = one["verdict"]
    interval = verdict.get("ap50_drop_95" if kind == "detector" else "read_exact_drop_95")
    base = variant == "float32"
    return [
        kind,
        variant,
        f"{one['bytes'] / 1024:.0f}",
        f"{100 * one['value']:.2f}",
        "" if base else f"{100 * verdict['drop']:.2f}",
        "" if base or interval is None else f"{100 * interval[0]:.2f} to {100 * interval[1]:.2f}",
        f"{one['ms']['median']:.2f}",
        *(_million(one["cost"], cpu) for cpu in CPUS),
    ]


def _million(cost: dict[str, Any], cpu: str) -> str:
    counted = cost.get("instructions", {}).get(cpu)
    return "-" if counted is None else f"{counted / 1e6:.1f}"


def _notes(result: dict[str, Any]) -> list[str]:
    networks, machine = result["networks"], result["machine"]
    shown = "drawn pictures" if result["photographs"]["drawn"] else "photographs that nothing learnt from"
    plates = ", ".join(f"{kind} {network['variants']['int8']['verdict']['evidence']} plates" for kind, network in networks.items())
    looks = f"the detector looks closer up to {result['views']} times, as `platewatch read` does" if result["views"] else "the detector looks once"
    lines = [f"On {shown} ({plates}), through the device's own code; {looks}; `loses` is against float32, with its 95 % bootstrap interval."]
    lines.append(f"`ms` is the median of one run of the network, {machine['threads']} thread, on {machine['processor']}, all variants in turns.")
    fewer = [_fewer(kind, variant, network["variants"]) for kind, network in networks.items() for variant in VARIANTS]
    lines += [line for line in fewer if line]
    reasons = sorted({one["cost"]["why"] for network in networks.values() for one in network["variants"].values() if "why" in one["cost"]})
    lines.append("Instructions are of one run on an emulated processor." + (f" Not counted: {'; '.join(reasons)}." if reasons else ""))
    for kind, network in networks.items():
        same = "is byte for byte the shipped one" if network["int8_is_the_shipped_file"] else "is not the shipped one: other pictures, method or versions"
        lines.append(f"The {kind}'s int8 file made here {same}.")
    return lines


def _fewer(kind: str, variant: str, variants: dict[str, Any]) -> str:
    """A variant that looked at fewer pictures."""
    own, all_ = (variants[name]["verdict"]["evidence"] for name in (variant, "float32"))
    if own == all_:
        return ""
    base = 100 * variants[variant]["float_value"]
    return f"{variant} runs without the fast kernels, so the {kind}'s was asked on {own} plates alone, where float32 has {base:.2f}."
