"""The kernel's command line: one line, to which words are added that it does not have."""

from __future__ import annotations

from deploy.card.merge.merged import Merged, NotMerged, text_of

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
    return Merged((" ".join([*there, *(word for word in added if word.partition("=")[0] not in names)]) + "\n").encode())


def script_of(content: bytes | None) -> str:
    """Path of the script that the first boot runs; '' where it runs none."""
    return next((word.removeprefix(RUN).strip('"') for word in words(content) if word.startswith(RUN)), "")
