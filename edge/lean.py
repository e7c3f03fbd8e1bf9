"""What the libraries would load for nothing, seven megabytes of it. To be called before pydantic and hashlib are first imported; later it does nothing.

Each has its own way to do without, so that nothing is missing, and where a library is another one some day there is only nothing saved.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from types import ModuleType
from typing import Any


def keep_lean() -> None:
    """For a process that runs for months."""
    _without_plugins()
    _without_openssl()


def _without_plugins() -> None:
    """pydantic imports importlib.metadata, and with it email and zipfile, to look for plugins, of which we have none."""
    name = "importlib.metadata"
    if "pydantic" in sys.modules or name in sys.modules:
        return
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    stand_in: Any = ModuleType(name)
    stand_in.entry_points = _entry_points
    sys.modules[name] = stand_in
    try:
        with contextlib.suppress(ImportError):  # it wants something else of it: then it gets the real one
            importlib.import_module("pydantic.plugin._loader")
    finally:
        del sys.modules[name]


def _entry_points(**chosen: str) -> Any:
    """For the owner who set the variable otherwise."""
    from importlib.metadata import entry_points

    return entry_points(**chosen)


def _without_openssl() -> None:
    """hashlib and hmac have their own SHA-256, and take OpenSSL's only where there is one. TLS, where a target needs it, loads OpenSSL by itself.

    `hashlib.scrypt` is not there then: passwords are the page's, a process of its own, and the daemon hashes none."""
    if "hashlib" not in sys.modules:
        sys.modules.setdefault("_hashlib", None)  # type: ignore[arg-type]  # as the import system has it: not to be found
