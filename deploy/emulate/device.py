"""The owner's side: a device file, a key to log in with, and passwords that must not stay on the open part of the card."""

from __future__ import annotations

import json
from pathlib import Path

from deploy.emulate import program

PAGE_PASSWORD, LOGIN_PASSWORD, BROKER_PASSWORD = "emulated page 7Qx", "emulated login 7Qx", "emulated broker 7Qx"
CLIP = "/opt/platewatch/current/.venv/lib/python{python}/site-packages/edge/clips/demo.mp4"
FPS = 6
"""The clip's pictures are taken one after another as fast as the emulated processor can, so many of each second of it."""
NAME, USER = "emulated", "owner"


def write(folder: Path, python: str) -> Path:
    """`emulated.toml` and a key in the folder, a fresh one where there is none; the path of the first. `python` is the version on the device."""
    key = login_key(folder)
    if not key.is_file():
        program.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "emulated", "-f", key)
    path = folder / f"{NAME}.toml"
    path.write_text(text(key.with_suffix(".pub"), python), encoding="utf-8")
    path.chmod(0o600)
    return path


def login_key(folder: Path) -> Path:
    return folder / "login"


def text(public: Path, python: str) -> str:
    """A camera that plays the bundled clip, and a broker that cannot be reached: the device is offline."""
    return "\n".join(
        [
            "[device]",
            f'name = "{NAME}"',
            'time_zone = "Europe/Berlin"',
            "[user]",
            f'name = "{USER}"',
            f"ssh_keys = [{json.dumps(str(public))}]",
            f"password = {json.dumps(LOGIN_PASSWORD)}",
            "[camera]",
            'name = "clip"',
            'kind = "usb"',
            "[page]",
            f"password = {json.dumps(PAGE_PASSWORD)}",
            "[mqtt]",
            'host = "broker.invalid"',
            'user = "emulated"',
            f"password = {json.dumps(BROKER_PASSWORD)}",
            "[config.camera]",
            'kind = "files"',
            f"source = {json.dumps(CLIP.format(python=python))}",
            "loop = true",
            "real_time = false",
            f"fps_limit = {FPS}",
            "[config.tracking]",
            "repeat_after_s = 4.0",
            "",
        ]
    )


def secrets(seed: bytes, config: bytes) -> dict[str, bytes]:
    """What no byte of the boot partition may say afterwards: {what it is: how it begins}. `seed` is the file that the system's own first start reads."""
    import re

    found = {"the broker's password": BROKER_PASSWORD.encode(), "the login's password": LOGIN_PASSWORD.encode(), "the page's password": PAGE_PASSWORD.encode()}
    if hashed := re.search(rb"\$6\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{40}", seed):
        found["the login's hash"] = hashed[0]
    if hashed := re.search(rb'password_hash = "([^"]{20,})"', config):
        found["the page's hash"] = hashed[1]
    return found
