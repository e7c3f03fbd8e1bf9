"""What the updater remembers: one file of root's, replaced whole. Which release runs is not in doubt without it: the links say so."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from deploy.onboard import disk
from deploy.onboard.layout import ID, Layout

FORMAT = 1
VALUES = {"works": bool, "failed": str, "bundles": int}
"""Of the fields that are tables."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A switch that is not decided yet. Written down before the switch, so that whoever wakes up after a cut knows of it."""

    id: str
    came_from: str = ""
    """What ran before, and what comes back; '' on the first installation."""
    kind: str = "update"
    """`update` is rolled back when it fails; `rollback` and `first` stay, there is nothing better."""
    frames: bool = True
    """Whether pictures are asked for: no, where there were none before either."""
    page: bool = True
    """The same of the page."""
    boots: int = 0
    boot: str = ""
    """The kernel's id of the last start that was counted."""
    since: str = ""
    failed: str = ""
    """Why it goes back; '' while it may still prove itself."""

    def as_json(self) -> dict[str, Any]:
        plain = asdict(self)
        return {"from": plain.pop("came_from")} | plain

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        """Raises TypeError or ValueError for what is no trial."""
        if not ID.fullmatch(plain["id"]):
            raise ValueError("on trial is what is no release")
        return cls(**(_fitting(cls(""), plain) | {"came_from": str(plain.get("from", ""))}))


@dataclass(frozen=True, slots=True)
class State:
    """Everything but the links."""

    current: str = ""
    previous: str = ""
    serial: int = 0
    """Of the current release: an older one is a downgrade."""
    trial: Trial | None = None
    pending: str = ""
    """A release that stands whole and was asked for, but not switched to yet."""
    works: dict[str, bool] = field(default_factory=dict)
    """{"frames", "page"} when it was asked for: what did not work then is not asked of it."""
    failed: dict[str, str] = field(default_factory=dict)
    """{"id", "words"} of the last one that was rolled back."""
    firstboot: str = ""
    """'' before, then `begun`, `secrets` (they are in their place and may be wiped), `done`."""
    trouble: str = ""
    """Why the first start could not go on."""
    configured: str = ""
    """SHA-256 of the configuration that the installation put in place: until a release has run nobody else has changed it."""
    bundles: dict[str, int] = field(default_factory=dict)
    """{kind of model: serial of the archive it came in}."""
    restoring: bool = False
    """A backup lies unpacked and is being put in place."""
    removing: str = ""
    """`all` or `program`: an uninstallation has begun."""

    def but(self, **changes: Any) -> State:
        return replace(self, **changes)


def load(layout: Layout) -> State:
    """A file that is not there or damaged is an empty state, and what is of another type in it counts as not there: the links still say what runs."""
    found = State()
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, RecursionError):
        plain = json.loads(layout.state.read_bytes())
        found = State(**_fitting(found, plain))
        with contextlib.suppress(KeyError, ValueError, TypeError):
            found = found.but(trial=Trial.of(plain["trial"]))
    return found.but(current=linked(layout, "current"), previous=linked(layout, "previous"))


def _fitting(blank: State | Trial, plain: dict[str, Any]) -> dict[str, Any]:
    """What of `plain` is of the type that the field has."""
    told = {}
    for name in blank.__dataclass_fields__:
        value, kind = plain.get(name), type(getattr(blank, name))
        if type(value) is kind and (not isinstance(value, dict) or all(type(one) is VALUES[name] for one in value.values())):
            told[name] = value
    return told


def save(layout: Layout, state: State) -> None:
    """On the disk when it returns."""
    plain = {name: getattr(state, name) for name in State.__dataclass_fields__}
    plain |= {"format": FORMAT, "trial": None if state.trial is None else state.trial.as_json()}
    plain |= {"current": linked(layout, "current"), "previous": linked(layout, "previous")}
    disk.make_folder(layout.own, 0o700)
    disk.write_whole(layout.state, json.dumps(plain, indent=1, sort_keys=True).encode() + b"\n", 0o600)


def linked(layout: Layout, name: str) -> str:
    """The id that the link `current` or `previous` leads to, '' where it leads nowhere."""
    try:
        id = os.path.basename(os.readlink(layout.opt / name))
    except OSError:
        return ""
    return id if layout.is_complete(id) else ""
