"""What will stand on the boot partition, before anything is written: each file as it is and as it will be."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from deploy.card import kit as kits
from deploy.card.boot import BootFolder
from deploy.card.detect import System, Way
from deploy.card.kit import Kit, check
from deploy.card.merge import cloudinit, firstrun, preseed
from deploy.card.merge.cmdline import with_memory, with_words, words
from deploy.card.merge.merged import Merged
from deploy.device.settings import Settings
from deploy.onboard.cmdline import ADDED, WORD

MASK = "********"
SECRETS = re.compile(
    r"""((?<![A-Za-z_])(?:(?:plain_text_|hashed_)?passwd|password|password_hash|psk|token)["']?\s*[:=]\s*)"""  # YAML, TOML and ini
    r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'][^\n]*)"""
    r"""|((?:/userconf|set_wlan)\s.*?'[^']*'\s+)'[^']*'"""  # firstrun.sh
    r"""|(\$(?:[56y]|2[aby])\$)[./A-Za-z0-9=,$]+""",
    re.IGNORECASE,
)
HOST: dict[Way, bytes] = {
    "cloudinit": rb"""^hostname:\s*["']?([A-Za-z0-9-]+)""",
    "firstrun": rb"""^[^#\n]*set_hostname\s+["']?([A-Za-z0-9-]+)""",
    "preseed": rb"""^\s*hostname\s*=\s*["']([A-Za-z0-9-]+)""",
}
"""Where the merged file of each way has the device's name."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file of the boot folder; `before` is None where there was none."""

    name: str
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """First the kit, then the changes in their order: the line that starts it all comes last."""

    changes: tuple[Change, ...]
    kit: Kit
    notes: tuple[str, ...]
    host: str
    """What the device will be called: on a card that Imager wrote, its word counts."""


def plan(boot: BootFolder, system: System, settings: Settings, kit: Kit) -> Plan:
    """Raises CardError where a file cannot be merged or the kit does not fit."""
    made = list(_merges(boot, system, settings, kit))
    kit = _with_words_added(boot, kit, {name: merged.content for name, _, merged in made}["cmdline.txt"])
    kits.room(boot, kit)
    changes = [Change(name, before, merged.content) for name, before, merged in made if merged.content != before]
    found = re.search(HOST[system.way], next(merged.content for name, _, merged in reversed(made) if name != "cmdline.txt"), re.MULTILINE)
    host = found[1].decode() if found else settings.name
    return Plan(tuple(changes), kit, (*system.notes, *(note for _, _, merged in made for note in merged.notes)), host)


def _with_words_added(boot: BootFolder, kit: Kit, line: bytes) -> Kit:
    """The kit with a note of the word that is ours on the command line, now or since an earlier kit: uninstalling takes it away."""
    earlier = (boot.read(f"{kits.FOLDER}/{ADDED}") or b"").decode(errors="replace").split()
    ours = WORD in words(line) and (WORD in earlier or WORD not in words(boot.read("cmdline.txt")))
    return replace(kit, files=kit.files | {ADDED: f"{WORD}\n".encode()}) if ours else kit


def _merges(boot: BootFolder, system: System, settings: Settings, kit: Kit) -> Iterator[tuple[str, bytes | None, Merged]]:
    """(name, what is there, what will be there), the file that starts everything last."""
    line = boot.read("cmdline.txt")
    regulated = [f"cfg80211.ieee80211_regdom={settings.wifi.country}"] if settings.wifi else []
    made = with_memory(with_words(line, regulated).content)
    if system.way == "firstrun":
        name = firstrun.script_name(line)
        there = boot.read(name)
        yield name, there, firstrun.script(there, settings)
        yield "cmdline.txt", line, Merged(firstrun.cmdline(made.content).content, made.notes)
        return
    yield "cmdline.txt", line, made
    there = boot.read("ssh")
    yield "ssh", there, Merged(there if there is not None else b"\n")
    if system.way == "preseed":
        there = boot.read("rpi-preseed.toml")
        yield "rpi-preseed.toml", there, preseed.preseed(there, settings)
        return
    instance = f"platewatch-{settings.name}-{kit.release}"
    there = boot.read("network-config")
    if network := cloudinit.network_config(there, settings.wifi):
        yield "network-config", there, network
    there = boot.read("meta-data")
    if meta := cloudinit.meta_data(there, instance):
        yield "meta-data", there, meta
    there = boot.read("user-data")
    yield "user-data", there, cloudinit.user_data(there, settings)


def carry_out(boot: BootFolder, made: Plan, said: Callable[[str], None]) -> None:
    """Writes and reads back. A card that was stopped on the way is a plain card of Raspberry Pi OS. Raises CardError."""
    said(f"the kit, {kits.FOLDER}/")
    kits.put(boot, made.kit)
    for change in made.changes:
        said(change.name)
        boot.write(change.name, change.after)
    boot.flush()
    for change in made.changes:
        check(boot, change.name, hashlib.sha256(change.after).hexdigest())


def masked(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Without passwords, keys and hashes, those of others too."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return SECRETS.sub(lambda found: f"{found[1] or found[3] or found[2]}{MASK}", text)


def shown(change: Change, secrets: tuple[str, ...] = ()) -> list[str]:
    """The change as lines with + and -, two lines of what is around them, secrets masked."""
    before, after = (masked((content or b"").decode(errors="replace"), secrets).splitlines() for content in (change.before, change.after))
    return list(difflib.unified_diff(before, after, n=2, lineterm=""))[2:]
