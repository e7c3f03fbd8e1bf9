"""Which card, and which image: chosen at the terminal where they were not named."""

from __future__ import annotations

from pathlib import Path

from deploy.card import disks
from deploy.card.errors import CardError
from deploy.device.ask import Asker
from deploy.device.owner import expanded

NAMES = "*raspios*arm64*lite*.img*"
ENDINGS = (".xz", ".gz", ".zip", ".img")


def image(ask: Asker | None) -> Path:
    """The newest download is offered. Raises CardError."""
    if ask is None:
        raise CardError("--image: name the Raspberry Pi OS Lite (64-bit) that you downloaded, or --onto-written for a card that Raspberry Pi Imager wrote")
    found = [path for folder in (Path(), expanded("~/Downloads")) if folder.is_dir() for path in folder.glob(NAMES) if path.suffix in ENDINGS]
    newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
    answer = ask("Raspberry Pi OS Lite (64-bit), as you downloaded it", str(newest or ""), False)
    answer = answer.strip().strip("'\"")  # a file that is dropped onto a terminal comes in quotes
    if not answer:
        raise CardError("no image was named; download Raspberry Pi OS Lite (64-bit) first")
    return expanded(answer)


def card(ask: Asker | None, needed: int, *, shown_too: bool = False) -> str:
    """One of the disks that may be written without another word, or that a desktop shows (`shown_too`); its name must be typed, so that it is no slip.

    Raises CardError.
    """
    if ask is None:
        raise CardError("--disk: name the card; python -m deploy disks shows which disks there are")
    good = [disk for disk in disks.disks() if not any(disks.refusals(disks.free(disk) if shown_too else disk, needed))]
    if not good:
        raise CardError("there is no card that may be written; put one in, and look with python -m deploy disks why one is not offered")
    offered = "\n".join(" ".join(filter(None, (f"  {disk.words}", *disk.mounts))) for disk in good)
    answer = ask(f"Cards that may be written:\n{offered}\nEverything on it will be lost. Type the name of the one to write", "", False).strip()
    if answer not in [disk.path for disk in good]:
        raise CardError(f"{answer or 'nothing'} is none of them; nothing was written")
    return answer
