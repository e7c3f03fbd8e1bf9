"""The kernel's command line: one line, to which words are added that it does not have."""

from __future__ import annotations

from deploy.card.merge.merged import Merged, NotMerged, text_of
from deploy.onboard.cmdline import WORD, asks, forbids

RUN = "systemd.run="


def words(content: bytes | None) -> list[str]:
    """The words of cmdline.txt. Raises NotMerged where there is none, or none that boots."""
    text, _ = text_of(content or b"", "cmdline.txt")
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) != 1:
        raise NotMerged(f"cmdline.txt on the card has {len(lines)} lines, and one is what boots; write the card anew")
    return lines[0].split()


def with_words(content: bytes | None, added: list[str]) -> Merged:
    """With each of `added` whose name (up to `=`) it does not have. Raises NotMerged."""
    there = words(content)
    names = {word.partition("=")[0] for word in there}
    return _merged(there, [word for word in added if word.partition("=")[0] not in names])


def with_memory(content: bytes | None) -> Merged:
    """With the word that lets memory be counted, so that the units' limits hold. Who forbids it is left alone, and told. Raises NotMerged."""
    there = words(content)
    if any(asks(word) for word in there):
        return _merged(there, [])
    if any(forbids(word) for word in there):
        return Merged(_merged(there, []).content, ("cmdline.txt forbids to count memory, which stays: the limits of memory that the units have do not hold",))
    return _merged(there, [WORD])


def _merged(there: list[str], added: list[str]) -> Merged:
    """Before `systemd.run=`: Imager's firstrun.sh takes away all that stands from there on."""
    at = next((number for number, word in enumerate(there) if word.startswith(RUN)), len(there))
    return Merged((" ".join([*there[:at], *added, *there[at:]]) + "\n").encode())


def script_of(content: bytes | None) -> str:
    """Path of the script that the first boot runs; '' where it runs none."""
    return next((word.removeprefix(RUN).strip('"') for word in words(content) if word.startswith(RUN)), "")
