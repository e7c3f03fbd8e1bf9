"""What the board says of its supply, its heat, its memory and its processor."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from edge.attention.governor import FIRMWARE
from edge.checks.outcome import Device, Outcome
from edge.firmware import ask, text_of, throttling

BOARD = Path("/proc/device-tree/model")
LEAST_MB, SMALL_MB = 150, 900
"""Free memory that the daemon and the page need together; a board with less in all is better off with some swap."""
SUPPLY, HEAT = "under-voltage", ("frequency capped", "throttled", "soft temperature limit")


def check_supply(_: Device, *, ask: Callable[..., str | None] = ask, board: Path = BOARD, firmware: Path = FIRMWARE) -> Outcome | None:
    """Under-voltage, now or since the start; None where no Raspberry Pi is asked."""
    found = _troubles(ask, firmware)
    if found is None:
        return _silent(board)
    mend = "use the official power supply of this model, and a short cable"
    if f"{SUPPLY} now" in found:
        return Outcome("bad", "the supply gives too little: the board is under-volted just now, and may halt or spoil its card", mend)
    if f"{SUPPLY} since the start" in found:
        return Outcome("note", "the board was under-volted at some time since it started", mend)
    return Outcome("good", "no under-voltage since the start")


def check_throttling(_: Device, *, ask: Callable[..., str | None] = ask, board: Path = BOARD, firmware: Path = FIRMWARE) -> Outcome | None:
    """The bits of `vcgencmd get_throttled` but for the supply's, in words."""
    found = _troubles(ask, firmware)
    if found is None:
        return None  # said once, under `supply`
    heat = [words for words in found if words.startswith(HEAT)]
    if now := [words for words in heat if words.endswith(" now")]:
        return Outcome("bad", f"the board slows itself down: {', '.join(now)}", "give it a heat sink or a fan, and a good supply")
    if heat:
        return Outcome("note", f"the board slowed itself down: {', '.join(heat)}", "give it a heat sink or a fan, and a good supply")
    return Outcome("good", "never slowed down since the start")


def _troubles(ask: Callable[..., str | None], firmware: Path) -> tuple[str, ...] | None:
    word = text_of(firmware)
    return throttling(f"throttled=0x{word.removeprefix('0x')}" if word else ask("vcgencmd", "get_throttled"))


def _silent(board: Path) -> Outcome | None:
    if "Raspberry Pi" not in (text_of(board) or ""):
        return None
    return Outcome("note", "the firmware gives no answer about its supply", "sudo apt install raspi-utils, and put this user into the group video")


def check_memory(_: Device, *, meminfo: Path = Path("/proc/meminfo")) -> Outcome | None:
    found = {key: int(kb) // 1024 for key, kb in re.findall(r"(\w+):\s+(\d+) kB", text_of(meminfo) or "")}
    if "MemAvailable" not in found:
        return None
    free, total, swap, swap_free = (found.get(key, 0) for key in ("MemAvailable", "MemTotal", "SwapTotal", "SwapFree"))
    words = f"{free} of {total} MiB free, " + (f"{swap - swap_free} of {swap} MiB swap used" if swap else "no swap")
    if free < LEAST_MB:
        return Outcome("bad", f"{words}: too little for the daemon and the page", "stop other programs")
    if swap and swap_free < swap / 2:
        return Outcome("note", f"{words}: something needs more memory than there is", "see with top what it is")
    if not swap and total < SMALL_MB:
        return Outcome("note", words, "switch on swap in memory: sudo apt install zram-tools")
    return Outcome("good", words)


def check_threads(device: Device) -> Outcome | None:
    """How many the networks get; ConfigError where the measurement is another device's."""
    from edge.config import ModelsConfig
    from edge.wiring import threads_for

    cores = os.cpu_count() or 1
    count, why = threads_for(device.config.models if device.config else ModelsConfig())
    reason = {"set": "set", "measured": "the fastest as measured here", "guessed": "a guess: platewatch bench --json FILE measures"}[why]
    words = f"{count} for each network ({reason}), {cores} core{'' if cores == 1 else 's'}"
    if count > cores:
        return Outcome("note", f"{words}: more than there are cores", "set models.threads lower, or to 0")
    return Outcome("good", words)
