"""`status`: what runs, what ran before, what is not decided, in words or as JSON."""

from __future__ import annotations

from typing import Any

from deploy.onboard import disk, trial
from deploy.onboard.site import Site


def as_json(site: Site) -> dict[str, Any]:
    """{"current", "previous", "version", "serial", "trial", "pending", "failed", "firstboot", "trouble", "bundles", "daemon", "page", "free_bytes",
    "report"}."""
    layout, state = site.layout, site.state
    seen = trial.look(site)
    told = {name: getattr(state, name) for name in ("current", "previous", "serial", "pending", "failed", "firstboot", "trouble", "bundles")}
    told["trial"] = None if state.trial is None else state.trial.as_json()
    told["version"] = trial.version_of(layout, state.current) if state.current else ""
    told["daemon"] = {"runs": bool(seen.pid), "version": seen.version, "state": seen.state, "detail": seen.detail, "frames": seen.frames}
    told |= {"page": seen.page, "free_bytes": disk.free_bytes(layout.opt)}
    told["report"] = disk.contents(layout.report).decode(errors="replace").strip()
    return told


def words(told: dict[str, Any], *, all: bool = True) -> list[str]:
    """The same for people, a line each; without `all` nothing of what root alone may look at."""
    daemon = told["daemon"]
    lines = [f"runs:      {told['current'] or 'nothing is installed'}", f"before it: {told['previous'] or 'none'}"]
    if all:
        lines.append(f"daemon:    {daemon['state'] + ', ' + str(daemon['frames']) + ' pictures' if daemon['runs'] else 'does not run'}")
        lines.append(f"page:      {'answers' if told['page'] else 'does not answer'}")
    lines.append(f"free:      {told['free_bytes'] / 1e6:.0f} MB")
    if told["trial"]:
        lines.append(f"on trial:  {told['trial']['id']}, from {told['trial']['from'] or 'nothing'}")
    if told["pending"]:
        lines.append(f"waiting:   {told['pending']}; platewatch-deploy resume goes on with it")
    if told["failed"]:
        lines.append(f"refused:   {told['failed']['id']} ({told['failed']['words']})")
    if told["trouble"]:
        lines.append(f"trouble:   {told['trouble']}")
    return lines + ([f"last:      {told['report']}"] if told["report"] else [])
