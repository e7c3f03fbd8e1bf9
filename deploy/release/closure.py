"""What a set of wheels lacks for one Python: everything that is needed is followed from wheel to wheel, with the markers of the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy.release.errors import ReleaseError
from deploy.release.wheels import Target, Wheel, packaging

PASSES = 100
"""Each takes the needs of one more layer into account; real sets come to rest after a handful."""


@dataclass(frozen=True, slots=True)
class Closure:
    chosen: tuple[Wheel, ...]
    """By name; what an installation takes."""
    missing: tuple[tuple[str, str], ...]
    """(requirement, who needs it), as in ("numpy<3,>=2.0", "platewatch 0.1.0")."""

    @property
    def sentence(self) -> str:
        return "; ".join(f"{requirement} is missing, which {who} needs" for requirement, who in self.missing)


def close(wheels: Sequence[Wheel], roots: Sequence[str], target: Target) -> Closure:
    """The newest wheel of each name that `target` takes and all who need it allow; several passes, since a later need may rule a choice out."""
    usable: dict[str, list[Wheel]] = {}
    for wheel in sorted((wheel for wheel in wheels if target.takes(wheel)), key=lambda wheel: wheel.version, reverse=True):
        usable.setdefault(wheel.name, []).append(wheel)
    chosen: dict[str, Wheel] = {}
    for _ in range(PASSES):
        needs, found, missing = _needs(chosen, roots, target), {}, {}
        for name, wanted in needs.items():
            fitting = (wheel for wheel in usable.get(name, ()) if all(need.specifier.contains(wheel.version, prereleases=True) for need, _ in wanted))
            if (best := next(fitting, None)) is not None:
                found[name] = best
            else:
                missing[name] = (_plain(name, wanted), " and ".join(sorted({who for _, who in wanted})))
        if found == chosen:
            return Closure(tuple(found[name] for name in sorted(found)), tuple(missing[name] for name in sorted(missing)))
        chosen = found
    raise ReleaseError(f"the wheels for Python {target.python} rule each other out in a circle; name a version of one of them in pyproject.toml")


def _needs(chosen: dict[str, Wheel], roots: Sequence[str], target: Target) -> dict[str, list[tuple[Any, str]]]:
    """Name -> its requirements and who has them, of the roots and of all that they reach over `chosen`, extras included."""
    canonical, requirement = packaging("utils").canonicalize_name, packaging("requirements").Requirement
    needs: dict[str, list[tuple[Any, str]]] = {}
    waiting = [(requirement(root), "the release") for root in roots]
    seen: set[tuple[str, str]] = set()
    while waiting:
        need, who = waiting.pop()
        name = canonical(need.name)
        needs.setdefault(name, []).append((need, who))
        wheel = chosen.get(name)
        for extra in ("", *sorted(need.extras)):
            if wheel is None or (name, extra) in seen:
                continue
            seen.add((name, extra))
            owner = f"{wheel.name} {wheel.version}"
            for inner in wheel.requires:
                always = inner.marker is None
                if (extra == "" and always) or (not always and inner.marker.evaluate(target.environment | {"extra": extra})):
                    waiting.append((inner, owner))
    return needs


def _plain(name: str, wanted: list[tuple[Any, str]]) -> str:
    """One requirement of all, as pip takes it."""
    specifiers = sorted({str(need.specifier) for need, _ in wanted if str(need.specifier)})
    return name + ",".join(specifiers)
