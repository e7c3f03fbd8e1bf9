"""Which peer is meant by `--peer`, and what its TOML file says. Every key is checked before a process is started."""

from __future__ import annotations

import difflib
import importlib
import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo

from convert.peers import PEERS
from edge.errors import ConfigError


class Section(BaseModel):
    """A table of a peer's file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def beside(value: Any, info: ValidationInfo) -> Any:
    """Before-validator of a path: it is relative to the folder of the TOML file that names it."""
    folder = (info.context or {}).get("folder")
    return Path(folder) / value if folder is not None and isinstance(value, str) and value else value


def read_peer(words: str) -> tuple[str, Any]:
    """What `--peer` names -> (kind, its Config): the name of a kind, a TOML file, or a folder with `detector` and `reader` of Platewatch in it.

    Raises ConfigError in one sentence that names the file, the key and the mend.
    """
    if words in PEERS and not Path(words).is_dir():
        return words, make_config(words, {}, f"--peer {words}")
    path = Path(words)
    if path.is_dir():
        return "platewatch", make_config("platewatch", {"name": path.resolve().name, "detector": str(path / "detector"), "reader": str(path / "reader")}, words)
    if path.suffix != ".toml":
        near = difflib.get_close_matches(words, PEERS, 1)
        mend = f"did you mean {near[0]}?" if near else f"name one of {', '.join(PEERS)}, a TOML file, or a folder with detector and reader in it"
        raise ConfigError(f"--peer {words}: no such peer; {mend}")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name the TOML file of a peer (docs/peers.md)") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML ({error})") from None
    kind = table.pop("kind", "pair")
    if kind not in PEERS:
        raise ConfigError(f"{path}: kind: {kind!r} is none of {', '.join(PEERS)}")
    return kind, make_config(kind, {"name": path.stem} | table, str(path), path.parent)


def make_config(kind: str, table: dict[str, Any], named: str, folder: Path | None = None) -> Any:
    """The checked Config of a kind. `named` is what the sentence names, `folder` what its paths are relative to. Raises ConfigError."""
    model = importlib.import_module(PEERS[kind]).Config
    try:
        return model.model_validate(table, context={"folder": folder})
    except ValidationError as error:
        raise ConfigError(f"{named}: {_sentence(error, model)}") from None


def _sentence(error: ValidationError, model: type[BaseModel]) -> str:
    """The first thing that does not fit: its key and what is wanted."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(first["loc"][-1]), sorted(_keys(model, first["loc"][:-1])), 1)
        return f"{place}: no such key" + (f"; did you mean {near[0]}?" if near else "; docs/peers.md has them all")
    if first["type"] == "missing":
        return f"{place}: is missing; docs/peers.md has an example"
    words = str(first["msg"]).removeprefix("Value error, ")
    shown = "" if isinstance(first["input"], dict) else f" (it is {first['input']!r})"
    return f"{place or 'the file'}: {words[:1].lower()}{words[1:]}{shown}"


def _keys(model: type[BaseModel], place: tuple[int | str, ...]) -> set[str]:
    for name in place:
        kind: Any = model.model_fields[str(name)].annotation if str(name) in model.model_fields else None
        tables = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, BaseModel)]
        if not tables:
            return set()
        model = tables[0]
    return set(model.model_fields)
