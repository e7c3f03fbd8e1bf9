"""Asks for what a device file does not say, where somebody sits at the terminal. The questions are data; asking is handed in."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from deploy.device.errors import DeviceError
from deploy.device.owner import expanded, login

Document = dict[str, Any]
TRIES = 5


class Asker(Protocol):
    """How a question reaches somebody."""

    def __call__(self, words: str, default: str, secret: bool) -> str: ...


@dataclass(frozen=True, slots=True)
class Question:
    """`needed` says whether a document leaves it open; `fill` puts the answer in. Without a file at hand also those are asked that have a default."""

    key: str
    words: str
    needed: Callable[[Document], bool]
    default: Callable[[], str] = lambda: ""
    secret: bool = False
    at_leisure: bool = False
    """Asked only where there is no file."""
    may_skip: bool = False


def table(document: Document, name: str) -> Document:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def lacks(name: str, *keys: str) -> Callable[[Document], bool]:
    return lambda document: not any(table(document, name).get(key) for key in keys)


def in_wifi(*keys: str) -> Callable[[Document], bool]:
    """A wireless network is told of, and none of these keys."""
    return lambda document: bool(table(document, "wifi")) and lacks("wifi", *keys)(document)


def own_key() -> str:
    """The owner's public key where there is one."""
    for name in ("id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"):
        if expanded(f"~/.ssh/{name}").is_file():
            return f"~/.ssh/{name}"
    return ""


def own_zone() -> str:
    """This computer's time zone."""
    found = re.search(r"zoneinfo/(.+)$", os.path.realpath("/etc/localtime"))
    return found[1] if found else ""


def own_name() -> str:
    """This computer's user, where that is a login name that the device may have."""
    name = login().lower()
    return name if re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name) and name not in ("root", "platewatch") else "owner"


QUESTIONS = (
    Question("device.name", "Name of the device (its page will be at http://NAME.local:8080)", lacks("device", "name"), lambda: "gate"),
    Question("device.time_zone", "Time zone", lacks("device", "time_zone"), own_zone, at_leisure=True, may_skip=True),
    Question("user.name", "Login name for the device itself", lacks("user", "name"), own_name),
    Question(
        "user.ssh_keys",
        "File of your public SSH key (empty: log in with a password)",
        lacks("user", "ssh_keys", "password", "password_hash"),
        own_key,
        may_skip=True,
    ),
    Question("user.password", "Password for logging in on the device", lacks("user", "ssh_keys", "password", "password_hash"), secret=True),
    Question("wifi.ssid", "Name of your Wi-Fi (empty: the device is on a cable)", lacks("wifi", "ssid"), at_leisure=True, may_skip=True),
    Question(
        "wifi.password", "Password of the Wi-Fi", lambda told: table(told, "wifi").get("security") != "open" and in_wifi("password", "psk")(told), secret=True
    ),
    Question("wifi.country", "Country where it stands, two capital letters such as DE or GB", in_wifi("country")),
    Question("camera.kind", "Camera: pi, usb or rtsp", lacks("camera", "kind"), lambda: "pi", at_leisure=True),
    Question(
        "camera.address", "Address of the camera (rtsp://...)", lambda told: table(told, "camera").get("kind") == "rtsp" and lacks("camera", "address")(told)
    ),
    Question("plates.country", "Plates expected: auto, or codes such as de,fr", lacks("plates", "country"), lambda: "auto", at_leisure=True),
    Question("page.password", "Password of the page (user admin, at least 8 characters)", lacks("page", "password", "password_hash"), secret=True),
)


def missing(document: Document, *, fresh: bool = False) -> list[Question]:
    """What would be asked first and then, as far as it can be told now; `fresh`: there is no file at all."""
    return [question for question in QUESTIONS if question.needed(document) and (fresh or not question.at_leisure)]


def complete(document: Document, ask: Asker, *, fresh: bool = False) -> Document:
    """The document with every open question answered; the one given is left alone. Raises DeviceError when an answer does not come."""
    told: Document = {name: dict(value) if isinstance(value, dict) else value for name, value in document.items()}
    for question in QUESTIONS:
        if question.needed(told) and (fresh or not question.at_leisure):
            told = _answered(question, told, ask)
    return told


def _answered(question: Question, told: Document, ask: Asker) -> Document:
    """With the answer; one that will not do is asked for again, with the reason. Raises DeviceError after so many."""
    from deploy.device.answers import complaint

    name, _, key = question.key.partition(".")
    wrong = ""
    for _ in range(TRIES):
        answer = ask(f"{wrong}\n{question.words}" if wrong else question.words, question.default(), question.secret)
        answer = answer.strip("\r\n" if question.secret else None)
        if not answer and question.may_skip:
            return told
        if not answer:
            raise DeviceError(f"{question.key}: was not answered; nothing was written")
        value = [answer] if key == "ssh_keys" else answer.upper() if question.key == "wifi.country" else answer
        after = told | {name: table(told, name) | {key: value}}
        if not (wrong := complaint(question.key, answer, after)):
            return after
    raise DeviceError(f"{wrong} (asked {TRIES} times); nothing was written")


def refuse(document: Document, path: Path | None) -> None:
    """Without a terminal: names everything that is missing. Raises DeviceError."""
    names = [question.key for question in missing(document) if question.key != "user.ssh_keys"]
    names = ["user.ssh_keys or user.password" if name == "user.password" else name for name in names]
    if names:
        raise DeviceError(f"{path or 'no device file'}: {', '.join(names)} {'is' if len(names) == 1 else 'are'} missing, and nobody is at a terminal to ask")


def at_terminal(words: str, default: str, secret: bool) -> str:
    """One question, by rich; a secret twice, and shown never."""
    from rich.console import Console
    from rich.prompt import Prompt

    console = Console(stderr=True)
    try:
        if not secret:
            return Prompt.ask(words, console=console, default=default or "", show_default=bool(default))
        while True:
            first = Prompt.ask(words, console=console, password=True)
            if first == Prompt.ask("The same again", console=console, password=True):
                return first
            console.print("The two differ; once more.")
    except EOFError:
        raise DeviceError("the terminal was closed before everything was answered; nothing was written") from None
