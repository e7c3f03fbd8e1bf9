"""A broker's folder: what it is given, what each device and each reader is given, and the authority that stays at home.

ca/         ca.key, ca.crt                                        stays here
broker/     mosquitto.conf aclfile passwd ca.crt server.key .crt  goes to the broker
devices/N/  target.toml mqtt broker-ca.crt                        goes to the device N (mqtt holds the password)
readers/N/  mqtt broker-ca.crt                                    goes to whoever reads all of them, Telegraf for one
data/       what mosquitto keeps in its container
.env        the words that compose.yaml asks for
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from string import Template

from deploy.broker import certificates, environment
from deploy.broker.errors import BrokerError
from deploy.broker.passwords import fits, hashed
from deploy.broker.writing import read, write

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,58}")
EXAMPLES = ("compose.yaml", "telegraf-postgresql.conf", "telegraf-influxdb.conf", "schema.sql")
BROKER, DEVICES, READERS = "broker", "devices", "readers"
CONTAINER = "/mosquitto/config"
"""Where mosquitto's image has its files."""
IN_COMPOSE = "mosquitto"
"""The name by which compose.yaml's other services reach the broker; its certificate has it too."""
ALONE = """# Retained states and what waits for a reader that is away outlive a restart.
persistence true
persistence_location /mosquitto/data/
log_dest stderr
"""
BESIDE = "# Where it keeps and logs, the system's own mosquitto.conf says, which includes this one; it takes neither twice.\n"


def init(folder: Path, hosts: Sequence[str], devices: Sequence[str], readers: Sequence[str], at: str = "") -> list[str]:
    """Make the folder, or add to it: what is there stays, but for the broker's certificate, which is made anew. Sentences of what was done.

    `hosts` come to the names that the certificate has already. `at`: where the broker's own files stand in the broker's eyes; '' as before.
    """
    for name in (*devices, *readers):
        if not NAME.fullmatch(name):
            raise BrokerError(f"{name!r}: a name has small letters, digits and `-`, at most 59; it is the device's topic too")
    if at and not re.fullmatch(r"/[A-Za-z0-9_.-][A-Za-z0-9_./-]*", at):
        raise BrokerError(f"--at {at!r}: must be an absolute path of letters, digits, `_`, `.` and `-`")
    with _in_words(folder):
        if both := set(devices) & set(readers) | set(devices) & set(_there(folder, READERS)) | set(readers) & set(_there(folder, DEVICES)):
            raise BrokerError(f"{min(both)}: is the name of a device and of a reader; one of them needs another")
        known = certificates.names_of(folder / BROKER / "server.crt")
        named = list(dict.fromkeys([*hosts, *known]))
        certificates.names([name for name in named if name != IN_COMPOSE] or hosts)
        return _init(folder, list(dict.fromkeys([*named, IN_COMPOSE])), devices, readers, at.rstrip("/"))


def remove(folder: Path, name: str) -> None:
    """Its rights and credentials are gone; the broker must be told to read its files again. Rights go first: cut short, it can be said again."""
    with _in_words(folder):
        there = {kind: _there(folder, kind) for kind in (DEVICES, READERS)}
        if not (folder / BROKER).is_dir():
            raise BrokerError(f"{folder}: is no folder that `broker init` made; name that one")
        for kind, names in there.items():
            if name in names:
                _grant(folder, without=name)
                shutil.rmtree(folder / kind / name)
                return
        known = ", ".join([*there[DEVICES], *there[READERS]]) or "none"
        raise BrokerError(f"{name}: no device or reader of {folder}; known are {known}")


@contextlib.contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    """What cannot be read or written there, as one BrokerError."""
    try:
        yield
    except OSError as error:
        name = error.filename if error.filename and os.path.isabs(error.filename) else folder
        raise BrokerError(f"{name}: cannot be read or written ({error.strerror}); name a folder that you may write, and give the command again") from None


def _init(folder: Path, hosts: Sequence[str], devices: Sequence[str], readers: Sequence[str], at: str) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    authority, broker = folder / "ca", folder / BROKER
    certificates.make_authority(authority)
    certificates.make_server(authority, broker / "server.key", broker / "server.crt", hosts)
    signs = read(authority / "ca.crt")
    write(broker / "ca.crt", signs, 0o644)
    before = _at(broker / "mosquitto.conf")
    at = at or before or CONTAINER
    if at != before:  # else it stays as its owner has it
        keeps = ALONE if at == CONTAINER else BESIDE
        write(broker / "mosquitto.conf", Template(_example("mosquitto.conf")).substitute(at=at, keeps=keeps.rstrip("\n")), 0o644)
    said = [f"{broker}: certificate for {', '.join(hosts)}, good for {certificates.SERVER_DAYS} days"]
    for kind, names in ((DEVICES, devices), (READERS, readers)):
        for name in dict.fromkeys(names):
            own = folder / kind / name
            if not (own / "mqtt").exists():
                own.mkdir(parents=True, exist_ok=True)
                write(own / "mqtt", secrets.token_urlsafe(24) + "\n", 0o600)
                said.append(f"{own}: new credentials")
            write(own / "broker-ca.crt", signs, 0o644)
            if kind == DEVICES:
                write(own / "target.toml", Template(_example("target.toml")).substitute(name=name, host=hosts[0]), 0o644)
    for example in EXAMPLES:
        if not (folder / example).exists():
            write(folder / example, _example(example), 0o644)
    _grant(folder)
    if at == CONTAINER:
        # Made by docker it would be root's, and mosquitto, which is not root, could keep nothing.
        (folder / "data").mkdir(mode=0o700, exist_ok=True)
        reader = folder / READERS / "telegraf/mqtt"
        said += environment.fill(folder / ".env", (broker / "passwd").stat(), read(reader).strip() if reader.is_file() else "")
    return said


def _grant(folder: Path, without: str = "") -> None:
    """`passwd` and `aclfile` of whoever is there now."""
    path = folder / BROKER / "passwd"
    before = dict(line.split(":", 1) for line in (read(path).splitlines() if path.exists() else []) if ":" in line)
    users = {kind: [name for name in _there(folder, kind) if name != without] for kind in (DEVICES, READERS)}
    kept = []
    for kind, names in users.items():
        for name in names:
            password = read(file := folder / kind / name / "mqtt").strip()
            if not password:
                raise BrokerError(f"{file}: holds no password; delete it and give `broker init` again, which makes a new one for {name}")
            kept.append(f"{name}:{before[name] if fits(password, before.get(name, '')) else hashed(password)}")
    write(path, "".join(f"{line}\n" for line in kept), 0o600)
    write(folder / BROKER / "aclfile", rights(users[DEVICES], users[READERS]), 0o600)


def rights(devices: Sequence[str], readers: Sequence[str]) -> str:
    """mosquitto's access list: a device writes below its own topic and hears only its own switch; a reader reads all and writes nothing."""
    parts = ["# Nobody may do what does not stand here. Made by `python -m deploy broker`.\n"]
    parts += [f"user {name}\ntopic write platewatch/{name}/#\ntopic read platewatch/{name}/detection/set\n" for name in devices]
    parts += [f"user {name}\ntopic read platewatch/#\n" for name in readers]
    return "\n".join(parts)


def _there(folder: Path, kind: str) -> list[str]:
    """Whoever has credentials. What cannot be looked into is an OSError: to overlook somebody would lock them out."""
    own = folder / kind
    names = sorted(path.name for path in own.iterdir()) if own.exists() else []
    return [name for name in names if NAME.fullmatch(name) and (own / name / "mqtt").is_file()]


def _at(conf: Path) -> str:
    """Where the broker's files stand, by its mosquitto.conf; '' where there is none, or it does not say."""
    found = re.search(r"^password_file (/.*)/passwd$", read(conf) if conf.exists() else "", re.M)
    return found[1] if found else ""


def _example(name: str) -> str:
    return resources.files("deploy.broker").joinpath("files", name).read_text(encoding="utf-8")
