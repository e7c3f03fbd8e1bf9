"""What every section of the config file is. The packages that have many keys keep their section in their own `settings.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """One table of the file: no unknown keys, and never changed once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_nul(cls, told: Any) -> Any:
        """No path, address or name can hold one; found late it would end the daemon."""
        for key, value in told.items() if isinstance(told, dict) else ():
            field = cls.model_fields.get(key)
            inner = field is not None and isinstance(field.annotation, type) and issubclass(field.annotation, Section)  # it says so itself
            if not inner and _holds_nul(list(value.items()) if isinstance(value, dict) else value):
                raise ValueError(f"{key[:60]!r} holds a NUL character; take it out")
        return told

    def absolute(self, base: Path) -> Self:
        """The same with its relative paths counted from `base`, the folder of the config file."""
        return self


def _holds_nul(value: Any) -> bool:
    """Tables within are sections, or wrong."""
    if isinstance(value, list | tuple):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value
