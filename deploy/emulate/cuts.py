"""Stages in which the plug is pulled at random moments: each must end in a device that comes back, and with everything it had to do done."""

from __future__ import annotations

import contextlib
import threading
import time

from deploy.emulate.bench import BOOT_LIMIT_S, FIRST_LIMIT_S, TRIAL_LIMIT_S, Bench, Figures, asked, release_of, require, settled, told, well
from deploy.emulate.errors import EmulateError
from deploy.emulate.guest import BY_SSH_S, card_file
from deploy.emulate.living import send

FIRST_S, UPDATE_S = (20.0, 340.0), (5.0, 540.0)
"""From the kernel's first words to the end of the watch, from the archive's first byte to the verdict; by their own durations on two idle cores."""


def moments(bench: Bench, begin: float, end: float) -> list[float]:
    """One of each part of the course, in any order, so that few cuts do not all fall into the same part."""
    dice, many = bench.dice(), bench.cuts
    drawn = [begin + (number + dice.random()) * (end - begin) / many for number in range(many)]
    dice.shuffle(drawn)
    return drawn


def cut_first_boot(bench: Bench) -> Figures:
    """A card as it was flashed, its plug pulled again and again; the last start goes through."""
    card, cuts = bench.folder / "cut.img", []
    bench.copy(bench.flashed(), card)
    for moment in moments(bench, *FIRST_S):
        guest = bench.power_on(card)
        while guest.age_s < moment and guest.goes_on():
            time.sleep(0.2)
        require(guest.runs, "QEMU ended by itself")
        bench.cut()
        log = card_file(card, "platewatch-log.txt").decode(errors="replace").splitlines()
        cuts.append(f"{guest.age_s:.0f} s ({log[-1].partition('  ')[2][:40] if log else 'before the kit began'})")
        bench.say(f"cut after {cuts[-1]}")
    guest = bench.power_on(card)
    to_page = guest.until("the page", guest.page.alive, FIRST_LIMIT_S)
    guest.until("the end of the first start", asked(guest, lambda found: found["firstboot"] == "done"), FIRST_LIMIT_S, BY_SSH_S)
    guest.until("pictures", well(guest), BOOT_LIMIT_S, BY_SSH_S)
    bench.cut()
    card.unlink()
    return {"cuts": len(cuts), "at": "; ".join(cuts), "last power on to page, s": round(to_page)}


def cut_update(bench: Bench) -> Figures:
    """Cut somewhere between the archive's first byte and the verdict; afterwards the old or the new release runs, and the same command ends well."""
    guest, archive = bench.running(), bench.releases["newest"]
    wanted, cuts = release_of(archive), []
    for moment in moments(bench, *UPDATE_S):
        before = told(guest)["current"]
        if before == wanted:
            break
        guest.until("pictures", well(guest), BOOT_LIMIT_S, BY_SSH_S)
        sending = threading.Thread(target=_sent, args=(bench,), daemon=True)
        begun = time.monotonic()
        sending.start()
        while time.monotonic() - begun < moment and sending.is_alive():
            time.sleep(0.2)
        at = time.monotonic() - begun
        bench.cut()
        sending.join()
        guest = bench.running()
        guest.until("the verdict", settled(guest), TRIAL_LIMIT_S, BY_SSH_S)
        guest.until("pictures", well(guest), BOOT_LIMIT_S, BY_SSH_S)
        after = told(guest)["current"]
        require(after in (before, wanted), f"after the cut {after or 'nothing'} runs")
        cuts.append(f"{at:.0f} s (then {'the new' if after == wanted else 'the old'} one ran)")
        bench.say(f"cut after {cuts[-1]}")
    if told(guest)["current"] != wanted:
        send(guest, archive, bench.folder / "cut-update.txt")
        guest.until("the verdict", settled(guest), TRIAL_LIMIT_S, BY_SSH_S)
    require(told(guest)["current"] == wanted, "the same command after the cuts does not end well")
    return {"cuts": len(cuts), "at": "; ".join(cuts)}


def _sent(bench: Bench) -> None:
    """Ends with the connection."""
    assert bench.guest is not None
    with contextlib.suppress(EmulateError):
        send(bench.guest, bench.releases["newest"], bench.folder / "cut-update.txt")
