"""What `./setup.sh card` asks, by the questions of the program itself, answered as in the chapter's pictures (tests/browser/first_card.py)."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from tests.handson.errors import HandsonError
from tests.handson.klm import Load, read, total, typed

CARD = "/dev/sdb"
AGAIN, ZONE = "The same again", "Time zone"
SUDO = "Only the administrator may write /dev/sdb: for that alone sudo asks for your own password. [sudo] password for anna:"
"""deploy/card/root.py and sudo say it; it is no question of ours."""
OWN_PASSWORD = "correct horse"
IMAGE = "2025-11-24-raspios-trixie-arm64-lite.img.xz"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, and what is typed for it."""

    words: str
    answer: str
    secret: bool = False


def load(dialogue: list[Asked]) -> Load:
    """What stands in brackets, which differs from computer to computer, counts as one word everywhere."""
    return total(read(f"{one.words} (default):") + typed(one.answer, code=one.secret, again=one.words == AGAIN) for one in dialogue)


def dialogue() -> list[Asked]:
    """In the order of the terminal: image, card, settings, and sudo's. Raises HandsonError where the program asks what the pictures do not answer."""
    from deploy.card import disks, pick
    from deploy.device import ask
    from tests.browser.first_card import ANSWERS

    asked, left = list[Asked](), list(ANSWERS)

    def at_terminal(words: str, default: str, secret: bool) -> str:
        """As deploy.device.ask.at_terminal: a secret is asked for twice."""
        if "Cards that may be written" in words:
            asked.append(Asked(words, CARD))
            return CARD
        answer = ""
        for again in range(1 + secret):
            question = AGAIN if again else words
            if not left or left[0][0] not in question:
                raise HandsonError(f"{question!r} has no answer in tests/browser/first_card.py, where {left[0][0] if left else 'nothing'!r} is next")
            answer = left.pop(0)[1]
            if question == ZONE:  # typed for the pictures, on a machine without one; a desk's computer knows it
                answer = ""
            asked.append(Asked(question, answer, secret))
        return answer or default

    with tempfile.TemporaryDirectory(prefix="platewatch-handson-") as name, patch.dict("os.environ", {"HOME": name, "USER": "anna", "LOGNAME": "anna"}):
        image = Path(name, "Downloads", IMAGE)
        image.parent.mkdir()
        image.touch()
        with patch.object(disks, "disks", lambda **_: [disks.Disk(CARD, 31_914_983_424, "Generic STORAGE DEVICE", removable=True)]):
            pick.image(at_terminal)
            pick.card(at_terminal, 1)
        ask.complete({}, at_terminal, fresh=True)
    if left:
        raise HandsonError(f"{left[0][0]!r} is answered in tests/browser/first_card.py, and the program no longer asks it")
    return [*asked, Asked(SUDO, OWN_PASSWORD, secret=True)]
