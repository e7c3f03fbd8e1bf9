"""What a merge gives."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.card.errors import CardError

KIT = "/boot/firmware/platewatch"
START = f"{KIT}/firstboot.sh"
"""What is started on the first boot; Bookworm and Trixie mount the boot partition there."""
LATER = f"python3 {KIT}/onboard.pyz firstboot --later {KIT}"
"""What sees to it that the first start goes on at the next start, and returns at once."""
GROUPS = "users,adm,dialout,audio,netdev,video,plugdev,cdrom,games,input,gpio,spi,i2c,render,sudo"
"""Of the owner's user, as Raspberry Pi Imager gives them."""


@dataclass(frozen=True, slots=True)
class Merged:
    """`content` of a file, whole; `notes` are sentences on what was left as it was."""

    content: bytes
    notes: tuple[str, ...] = ()


class NotMerged(CardError):
    """A file is there in a form to which nothing is added."""


def text_of(content: bytes, name: str) -> tuple[str, str]:
    """Its text with plain line ends, and the line end that it has. Raises NotMerged."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotMerged(f"{name} on the card is not UTF-8 text, so that nothing can be added to it; write the card anew") from None
    ending = "\r\n" if "\r\n" in text else "\n"
    return text.replace("\r\n", "\n"), ending


def bytes_of(text: str, ending: str) -> bytes:
    return text.replace("\n", ending).encode()
