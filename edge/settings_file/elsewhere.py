"""A secret goes to no other host than the one that it was written for: who moves a target gives its secrets again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from edge.errors import ConfigError
from edge.secrecy import is_secret
from edge.settings_file.keys import MANY


def refuse_moved(before: Mapping[str, Any], after: Mapping[str, Any], typed: Any) -> None:
    """Two whole configs as plain values, and what was typed to make one of the other. Raises ConfigError.

    Where the file names a secret by `env:` or `file:`, the person sees that name and keeps it knowingly; what stands here is not shown, and would go unseen.
    """
    given, meant = set(_texts(typed)), dict[str, set[str]]()
    for target in _targets(before):
        for _, secret in _secrets(target):
            meant.setdefault(secret, set()).add(_host(target))
    for number, target in enumerate(_targets(after)):
        for key, secret in _secrets(target):
            if secret in meant and secret not in given and _host(target) not in meant[secret]:
                raise ConfigError(f"{MANY}[{number}].{key}: give it again in full; what is kept was meant for another host than {_host(target) or 'this one'}")


def _targets(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = config.get(MANY, [])
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _host(target: Mapping[str, Any]) -> str:
    """Where a target's messages go: scheme, host and port; of an address kept elsewhere the name of that place."""
    address = str(target.get("url") or "")
    if not address:
        return f"{target.get('host', '')}:{target.get('port', '')}:{target.get('tls', False)}" if target.get("host") else ""
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or ''}" if parts.hostname else address
    except ValueError:
        return address


def _secrets(target: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(key, secret) of what stands in the file itself."""
    for key, value in target.items():
        if is_secret(key):
            yield from ((key, text) for text in _texts(value) if text and not text.startswith(("env:", "file:")))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, Iterable):
        for one in value:
            yield from _texts(one)
