"""The stages, in their order: each takes the bench and returns what it measured, or raises with the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.emulate import releases, root, stand_in
from deploy.emulate.bench import Bench, Figures, release_of
from deploy.emulate.cuts import cut_first_boot, cut_update
from deploy.emulate.first import bookworm, first_boot, flash
from deploy.emulate.living import bad_update, hang, plates, raspi3b, second_boot, update, vivid
from deploy.emulate.suites import BOOKWORM, SUITES, TRIXIE, Suite


@dataclass(frozen=True, slots=True)
class Stage:
    """`after`: what must have been run before it, in this run or in one whose files were kept; `done` says whether that is so."""

    name: str
    words: str
    run: Callable[[Bench], Figures]
    after: str = ""
    done: Callable[[Bench], bool] = lambda bench: False


def make_root(bench: Bench) -> Figures:
    return {f"MB, {suite.name}": round(_root(bench, suite).stat().st_size / 1e6) for suite in SUITES}


def make_image(bench: Bench) -> Figures:
    made = {suite.name: stand_in.make(bench.cache, _root(bench, suite), bench.folder / f"image-{suite.name}.log", suite) for suite in SUITES}
    return {f"MB on the disk, {name}": round(parts.image.stat().st_blocks * 512 / 1e6) for name, parts in made.items()}


def _root(bench: Bench, suite: Suite) -> Path:
    return root.make(bench.cache, bench.folder / f"root-{suite.name}.log", suite)


def make_releases(bench: Bench) -> Figures:
    made = releases.make(bench.folder / "releases", bench.cache / "wheels", bench.say)
    return {"releases": ", ".join(release_of(path) for path in made.values())}


STAGES = (
    Stage("root", "arm64 Debian roots, trixie and bookworm (cached)", make_root),
    Stage("image", "images like Raspberry Pi OS Lite's (cached)", make_image, "", lambda bench: bench.parts(TRIXIE).whole and bench.parts(BOOKWORM).whole),
    Stage("releases", "five signed releases of this tree", make_releases, "", lambda bench: len(bench.releases) == len(releases.PLAN)),
    Stage("flash", "`python -m deploy flash` writes the card, with device file and kit", flash, "image releases", lambda bench: bench.flashed().is_file()),
    Stage("first-boot", "first start, offline, from power on to the page", first_boot, "flash", lambda bench: bench.card.is_file()),
    Stage("second-boot", "after that power cut, from power on to the page", second_boot, "first-boot"),
    Stage("plates", "the daemon reads the bundled clip's plates, seen through the API", plates, "first-boot"),
    Stage("update", "takes a newer release", update, "first-boot"),
    Stage("bad-update", "takes a release whose camera gives no pictures, and goes back by itself", bad_update, "first-boot"),
    Stage("cut-update", "power cut in the middle of an update", cut_update, "first-boot"),
    Stage("cut-first-boot", "power cuts in the middle of the first start", cut_first_boot, "flash"),
    Stage("vivid", "a live picture of a V4L2 device in the guest", vivid, "first-boot"),
    Stage("hang", "systemd stands still: the board's watchdog (60 s here, 14 s on a device) starts the machine anew", hang, "first-boot"),
    Stage("bookworm", "first start and a later one of a card with the system of before, firstrun.sh and Python 3.11", bookworm, "image releases"),
    Stage("raspi3b", "the same card in QEMU's Raspberry Pi 3", raspi3b, "first-boot"),
)
"""In the order of a whole run."""
