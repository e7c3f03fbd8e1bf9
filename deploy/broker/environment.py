"""`.env`, from which docker compose takes what compose.yaml asks for."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from deploy.broker.writing import read, write

CHANCE = ("POSTGRES_PASSWORD", "TELEGRAF_PASSWORD", "INFLUX_PASSWORD", "INFLUX_TOKEN", "TELEGRAF_SESSION")
"""Made up where they are missing, and never changed: the databases have noted theirs."""
HEAD = "# For docker compose. Made by `python -m deploy broker init`, which adds what is missing; your own lines stay.\n"


def fill(path: Path, owner: os.stat_result, mqtt: str) -> list[str]:
    """Add what is missing. Whose the broker's files are, and Telegraf's password (`mqtt`, '' without one), are always as they are now.

    Sentences of what was done, or is to be done by whoever uses docker.
    """
    old = read(path) if path.exists() else HEAD
    now = {"BROKER_UID": str(owner.st_uid), "BROKER_GID": str(owner.st_gid), "MQTT_PASSWORD": mqtt}
    lines = [line for line in old.splitlines() if _key(line) not in now]
    there = {_key(line) for line in lines}
    lines += [f"{name}={secrets.token_urlsafe(24)}" for name in CHANCE if name not in there]
    text = "".join(f"{line}\n" for line in lines + [f"{name}={value}" for name, value in now.items() if value])
    if text != old:
        write(path, text, 0o600)
    if owner.st_uid == 0:
        return [f"{path.parent}: is root's, and mosquitto's container is not: give the folder to who runs docker (chown -R), and give this command as they"]
    return []


def _key(line: str) -> str:
    return line.partition("=")[0].strip()
