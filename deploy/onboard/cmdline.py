"""The kernel's word by which memory is counted for units: without it Pi OS does not, and `MemoryMax` has no force. In force at the next start.

`cgroup_enable=memory` is enough on every kernel of Bookworm and Trixie (6.1 and later); of two words that speak of memory the later one counts.
"""

from __future__ import annotations

from pathlib import Path

from deploy.onboard import disk
from deploy.onboard.site import Site

WORD = "cgroup_enable=memory"
ADDED = "cmdline-words.txt"
"""In the kit: the words that it brought onto the card's command line. In the updater's folder: those that go with an uninstallation."""
PLACE = "boot/firmware/cmdline.txt"


def asks(word: str) -> bool:
    """Whether a word of the command line lets memory be counted."""
    name, _, value = word.partition("=")
    return name == "cgroup_enable" and "memory" in value.split(",")


def forbids(word: str) -> bool:
    """Whether it forbids that: somebody's own wish."""
    name, _, value = word.partition("=")
    return name == "cgroup_disable" and "memory" in value.split(",")


def remember(site: Site, kit: Path) -> None:
    """That the word is ours, where whoever wrote the card put it there."""
    if WORD in _words(kit / ADDED):
        _mark(site)


def ask(site: Site) -> None:
    """On a Raspberry Pi that counts no memory: write the word, and remember that it is ours."""
    layout = site.layout
    if b"Raspberry Pi" not in disk.contents(layout.at("proc/device-tree/model")) or "memory" in _words(layout.at("sys/fs/cgroup/cgroup.controllers")):
        return
    words = _words(layout.at(PLACE))
    if len(disk.contents(layout.at(PLACE)).strip().splitlines()) != 1 or any(asks(word) or forbids(word) for word in words):
        return
    _mark(site)
    if _put(site, [*words, WORD]):
        site.say(f"{WORD} was added to /{PLACE}: from the next start on memory is counted, and what the units may use of it is limited.")
    site.step("memory-asked")


def take_back(site: Site) -> None:
    """The word, where it is ours."""
    words = _words(site.layout.at(PLACE))
    if (site.layout.own / ADDED).is_file() and WORD in words:
        _put(site, [word for word in words if word != WORD])
        site.step("memory-taken-back")


def _put(site: Site, words: list[str]) -> bool:
    """The file again, whole; False, and a sentence, where it cannot be written: that stops nothing."""
    path = site.layout.at(PLACE)
    try:
        disk.write_whole(path, (" ".join(words) + "\n").encode("utf-8", "surrogateescape"), path.stat().st_mode & 0o7777)
    except OSError as error:
        site.say(f"/{PLACE} stays as it is: {disk.plainly(error)}")
        return False
    return True


def _mark(site: Site) -> None:
    """Before the act: a cut between leaves a mark without a word, which does no harm, and never a word that nobody takes away."""
    site.write(site.layout.own / ADDED, WORD + "\n", 0o600)
    site.step("memory-marked")


def _words(path: Path) -> list[str]:
    return disk.contents(path).decode("utf-8", "surrogateescape").split()
