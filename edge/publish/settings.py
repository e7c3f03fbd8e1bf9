"""The sections `[[targets]]` and `[outbox]` of the config file: who is told, in which dialect, and how much may wait."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from edge.publish.dialects import DIALECTS
from edge.section import Section

KINDS = ("mqtt", "webhook", "jsonl", "csv", "exec")
NETWORK, FILES = ("mqtt", "webhook"), ("jsonl", "csv")
ONLY_OF: Mapping[str, tuple[str, ...]] = (
    dict[str, tuple[str, ...]].fromkeys(("host", "port", "user", "password", "tls", "cert_file", "key_file", "client_id", "protocol", "topic"), ("mqtt",))
    | dict.fromkeys(("discovery_prefix", "commands"), ("mqtt",))
    | dict.fromkeys(("ca_file",), NETWORK)
    | dict.fromkeys(("url", "secret", "headers"), ("webhook",))
    | dict.fromkeys(("path", "rotate_mb", "keep_files"), FILES)
    | dict.fromkeys(("command",), ("exec",))
)
"""Key -> the kinds that have it; the others are every kind's."""
NEEDED = {"mqtt": "host", "webhook": "url", "jsonl": "path", "csv": "path", "exec": "command"}


def nearest(wrong: str, known: Iterable[str]) -> str:
    """What to say after an unknown name."""
    names = list(known)
    near = difflib.get_close_matches(wrong, names, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"


class OutboxConfig(Section):
    """What may wait on disk for targets that cannot be reached."""

    max_events: int = Field(default=10_000, ge=10, le=1_000_000, description="So many events may wait, all targets together; then the oldest go, counted.")
    max_mb: float = Field(default=64.0, gt=0, le=10_000, description="So many megabytes may wait, pictures included; then the oldest go, counted.")


class TargetConfig(Section):
    """One that is told of events; write `[[targets]]` for each."""

    name: str = Field(description="The target's name in the status and for `platewatch targets --test`: a-z, 0-9, `-` and `_`.")
    kind: str = Field(description="`mqtt`, `webhook`, `jsonl` (a file of JSON lines), `csv`, or `exec` (a local command, the event on its stdin).")
    dialect: str = Field(
        default="native",
        description="`native`, `alpr_results`, `alpr_group`, `platerecognizer`, `frigate`, `homeassistant` (mqtt), or `fast-plate-ocr` (csv).",
    )
    stages: tuple[Literal["preview", "final"], ...] = Field(
        default=("final",), min_length=1, description="Which events: `final`, and `preview` while the vehicle is still there."
    )
    lists: Literal["all", "known", "unknown"] = Field(default="all", description="`known` sends only plates of your lists, `unknown` only the others.")
    min_confidence: float = Field(default=0.0, ge=0, le=1, description="Events that are less sure are not sent.")
    picture: Literal["none", "base64", "file"] = Field(
        default="none", description="The crop: not sent, within the message (multipart or raw where the dialect has that), or written to `picture_folder`."
    )
    picture_folder: str = Field(default="", description="Folder of the crops where `picture` is `file`.")
    keep_pictures: int = Field(default=5000, ge=0, description="So many crops stay in `picture_folder`, the oldest go; 0 keeps all.")
    timeout_s: float = Field(default=10.0, gt=0, le=120, description="An answer must come within so many seconds.")
    tries: int = Field(
        default=3, ge=1, le=100, description="An event is set aside when it was refused so often, or failed so often (HTTP 500) while another passed."
    )
    per_second: float = Field(default=20.0, ge=0, le=1000, description="A queue empties itself no faster than so many events a second; 0: as fast as it can.")
    longest_wait_s: float = Field(default=600.0, gt=0, le=600, description="Longest pause between two tries; they start at 2 s and double.")
    camera_id: int = Field(default=1, ge=0, description="`alpr_results`, `alpr_group`: the camera's number.")
    host: str = Field(default="", description="`mqtt`: the broker.")
    port: int | None = Field(default=None, ge=1, le=65535, description="`mqtt`: its port; unset: 1883, with `tls` 8883.")
    user: str = Field(default="", description="`mqtt`: user name.")
    password: str = Field(default="", description="`mqtt`: `env:NAME` or `file:PATH`.")
    tls: bool = Field(default=False, description="`mqtt`: speak TLS and check the broker's certificate.")
    ca_file: str = Field(default="", description="`mqtt`, `webhook`: certificates to trust (PEM); empty: the system's.")
    cert_file: str = Field(default="", description="`mqtt`: this device's certificate (PEM), where the broker wants one.")
    key_file: str = Field(default="", description="`mqtt`: its private key (PEM).")
    client_id: str = Field(default="", max_length=60, description="`mqtt`: client id; empty makes one of the camera's name and this machine.")
    protocol: Literal["3.1.1", "5"] = Field(default="3.1.1", description="`mqtt`: version of the protocol.")
    topic: str = Field(default="", description="`mqtt`: topics begin with this; empty: `platewatch/CLIENT_ID`, for `frigate`: `frigate`.")
    discovery_prefix: str = Field(default="homeassistant", min_length=1, description="`homeassistant`: the prefix of discovery.")
    commands: bool = Field(default=True, description="`homeassistant`: offer the switch that pauses detection.")
    url: str = Field(default="", description="`webhook`: address (http or https), or `env:NAME` or `file:PATH` where it holds a secret.")
    secret: str = Field(default="", description="`webhook`: key of the HMAC-SHA256 signature: `env:NAME` or `file:PATH`; empty: not signed.")
    headers: dict[str, str] = Field(default={}, description="`webhook`: more headers; a value may be `env:NAME` or `file:PATH`.")
    path: str = Field(default="", description="`jsonl`, `csv`: the file.")
    rotate_mb: float = Field(default=10.0, gt=0, le=10_000, description="`jsonl`, `csv`: a file of so many megabytes is put away as `.1`, `.2`, ...")
    keep_files: int = Field(default=5, ge=1, le=1000, description="`jsonl`, `csv`: so many files put away are kept.")
    command: tuple[str, ...] = Field(default=(), description="`exec`: program and arguments, as a list; no shell is between.")

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name):
            raise ValueError(f"a target's name is of a-z, 0-9, - and _, at most 40, but is {name!r}")
        return name

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"there is no kind of target {kind!r}; {nearest(kind, KINDS)}")
        return kind

    @field_validator("dialect")
    @classmethod
    def _known_dialect(cls, dialect: str) -> str:
        if dialect not in DIALECTS:
            raise ValueError(f"there is no dialect {dialect!r}; {nearest(dialect, DIALECTS)}")
        return dialect

    @field_validator("password", "secret")
    @classmethod
    def _never_in_the_file(cls, secret: str) -> str:
        if secret and not secret.startswith(("env:", "file:")):
            raise ValueError("a target's password or secret does not stand in the config file; write 'env:NAME' or 'file:PATH'")
        return secret

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if problem := self._problem():
            raise ValueError(f"target {self.name!r}: {problem}")
        return self

    def _problem(self) -> str:
        kinds = DIALECTS[self.dialect].kinds
        if self.kind not in kinds:
            fitting = [name for name, dialect in DIALECTS.items() if self.kind in dialect.kinds]
            return f"dialect {self.dialect!r} is not for {self.kind} but for {', '.join(kinds)}; {self.kind} takes {', '.join(fitting)}"
        for key in sorted(self.model_fields_set & set(ONLY_OF)):
            if self.kind not in ONLY_OF[key] and getattr(self, key) != type(self).model_fields[key].default:
                return f"{key!r} is not for {self.kind} but for {', '.join(ONLY_OF[key])}; take it out"
        if not getattr(self, NEEDED[self.kind]):
            return f"{self.kind} needs {NEEDED[self.kind]!r}"
        if self.picture == "file" and not self.picture_folder:
            return "picture = 'file' needs 'picture_folder'"
        if DIALECTS[self.dialect].needs_picture_file and self.picture != "file":
            return f"dialect {self.dialect!r} names pictures; set picture = 'file' and 'picture_folder'"
        if bool(self.cert_file) != bool(self.key_file):
            return "'cert_file' and 'key_file' go together"
        if (self.ca_file or self.cert_file) and self.kind == "mqtt" and not self.tls:
            return "certificates are of no use without tls = true"
        if self.password and not self.user:
            return "'password' needs 'user'"
        if any(char in self.topic + self.discovery_prefix for char in "+#\0"):
            return "'topic' and 'discovery_prefix' cannot hold + or #"
        return ""

    def absolute(self, base: Path) -> Self:
        paths = ("path", "picture_folder", "ca_file", "cert_file", "key_file")
        changes = {key: str(base / value) for key in paths if (value := getattr(self, key))}
        for key in ("password", "secret", "url"):
            if (value := getattr(self, key)).startswith("file:"):
                changes[key] = f"file:{base / value.removeprefix('file:')}"
        headers = {key: f"file:{base / value.removeprefix('file:')}" if value.startswith("file:") else value for key, value in self.headers.items()}
        return self.model_copy(update=changes | {"headers": headers})


def told_apart(targets: tuple[TargetConfig, ...]) -> tuple[TargetConfig, ...]:
    """The same; ValueError where two have one name."""
    names = [target.name for target in targets]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"two targets are named {twice!r}; give each its own name")
    return targets
