"""What every section of the config file is. The packages that have many keys keep their section in their own `settings.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One table of the file: no unknown keys, and never changed once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def absolute(self, base: Path) -> Self:
        """The same with its relative paths counted from `base`, the folder of the config file."""
        return self
