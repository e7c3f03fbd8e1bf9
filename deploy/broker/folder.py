"""A broker's folder: what it is given, what each device and each reader is given, and the authority that stays at home.

ca/         ca.key, ca.crt                                        stays here
broker/     mosquitto.conf aclfile passwd ca.crt server.key .crt  goes to the broker
devices/N/  target.toml mqtt broker-ca.crt                        goes to the device N (mqtt holds the password)
readers/N/  mqtt broker-ca.crt                                    goes to whoever reads all of them, Telegraf for one
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from string import Template

from deploy.broker import certificates
from deploy.broker.errors import BrokerError

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,58}")
ROUNDS = 1_000
"""Of PBKDF2; mosquitto reads them from the line. The passwords are 192 bits of chance, which need no more, and when a hundred devices come back at once the
broker works them for each."""
EXAMPLES = ("compose.yaml", "telegraf-postgresql.conf", "telegraf-influxdb.conf", "schema.sql")
BROKER, DEVICES, READERS = "broker", "devices", "readers"


def init(folder: Path, hosts: Sequence[str], devices: Sequence[str], readers: Sequence[str], at: str) -> list[str]:
    """Make the folder, or add to it: what is there stays, but for the broker's certificate, which is made anew. Sentences of what was done.

    `at`: where the broker's own files stand in the broker's eyes.
    """
    for name in (*devices, *readers):
        if not NAME.fullmatch(name):
            raise BrokerError(f"{name!r}: a name has small letters, digits and `-`, at most 59; it is the device's topic too")
    if both := set(devices) & set(readers) | set(devices) & set(_there(folder, READERS)) | set(readers) & set(_there(folder, DEVICES)):
        raise BrokerError(f"{min(both)}: is the name of a device and of a reader; one of them needs another")
    if not re.fullmatch(r"/[A-Za-z0-9_./-]*", at):
        raise BrokerError(f"--at {at!r}: must be an absolute path of letters, digits, `_`, `.` and `-`")
    certificates.names(hosts)
    try:
        return _init(folder, hosts, devices, readers, at.rstrip("/"))
    except OSError as error:
        raise BrokerError(f"{error.filename or folder}: cannot be written ({error.strerror})") from None


def remove(folder: Path, name: str) -> None:
    """Its credentials and rights are gone; the broker must be told to read its files again."""
    for kind in (DEVICES, READERS):
        if name in _there(folder, kind):
            shutil.rmtree(folder / kind / name)
            _grant(folder)
            return
    raise BrokerError(f"{name}: no device or reader of {folder}; known are {', '.join([*_there(folder, DEVICES), *_there(folder, READERS)]) or 'none'}")


def _init(folder: Path, hosts: Sequence[str], devices: Sequence[str], readers: Sequence[str], at: str) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ca").mkdir(mode=0o700, exist_ok=True)
    key, authority, broker = folder / "ca/ca.key", folder / "ca/ca.crt", folder / BROKER
    certificates.make_authority(key, authority)
    certificates.make_server(key, authority, broker / "server.key", broker / "server.crt", hosts)
    _write(broker / "ca.crt", authority.read_text(encoding="utf-8"), 0o644)
    _write(broker / "mosquitto.conf", Template(_example("mosquitto.conf")).substitute(at=at), 0o644)
    said = [f"{broker}: certificate for {', '.join(hosts)}, good for {certificates.SERVER_DAYS} days"]
    for kind, names in ((DEVICES, devices), (READERS, readers)):
        for name in dict.fromkeys(names):
            own = folder / kind / name
            if not (own / "mqtt").exists():
                own.mkdir(parents=True, exist_ok=True)
                _write(own / "mqtt", secrets.token_urlsafe(24) + "\n", 0o600)
                said.append(f"{own}: new credentials")
            _write(own / "broker-ca.crt", authority.read_text(encoding="utf-8"), 0o644)
            if kind == DEVICES:
                _write(own / "target.toml", Template(_example("target.toml")).substitute(name=name, host=hosts[0]), 0o644)
    for example in EXAMPLES:
        if not (folder / example).exists():
            _write(folder / example, _example(example), 0o644)
    _grant(folder)
    return said


def _grant(folder: Path) -> None:
    """`passwd` and `aclfile` of whoever is there now."""
    path = folder / BROKER / "passwd"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    before = dict(line.split(":", 1) for line in lines if ":" in line)
    users = [(kind, name) for kind in (DEVICES, READERS) for name in _there(folder, kind)]
    kept = []
    for kind, name in users:
        password = (folder / kind / name / "mqtt").read_text(encoding="utf-8").strip()
        kept.append(f"{name}:{before[name] if fits(password, before.get(name, '')) else hashed(password)}")
    _write(path, "".join(f"{line}\n" for line in kept), 0o600)
    _write(folder / BROKER / "aclfile", rights(_there(folder, DEVICES), _there(folder, READERS)), 0o600)


def rights(devices: Sequence[str], readers: Sequence[str]) -> str:
    """mosquitto's access list: a device writes below its own topic and hears only its own switch; a reader reads all and writes nothing."""
    parts = ["# Nobody may do what does not stand here. Made by `python -m deploy broker`.\n"]
    parts += [f"user {name}\ntopic write platewatch/{name}/#\ntopic read platewatch/{name}/detection/set\n" for name in devices]
    parts += [f"user {name}\ntopic read platewatch/#\n" for name in readers]
    return "\n".join(parts)


def hashed(password: str, salt: bytes | None = None, rounds: int = ROUNDS) -> str:
    """As mosquitto_passwd writes it: PBKDF2 with SHA-512."""
    salt = salt or secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def fits(password: str, line: str) -> bool:
    """Whether a line of `passwd`, behind the name, is this password's."""
    match line.split("$"):
        case ["", "7", rounds, salt, _] if rounds.isdigit():
            return secrets.compare_digest(hashed(password, base64.b64decode(salt), int(rounds)), line)
    return False


def _there(folder: Path, kind: str) -> list[str]:
    return sorted(path.name for path in (folder / kind).glob("*") if (path / "mqtt").is_file())


def _example(name: str) -> str:
    return resources.files("deploy.broker").joinpath("files", name).read_text(encoding="utf-8")


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all, and never readable by others for a moment where it must not be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.tmp")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(draft, path)
