"""What Home Assistant may ask of the rest of the device; apart, because a device without MQTT need not load it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Household:
    """What the rest of the device lends to this target. The defaults are a device of which nothing is known."""

    known: Callable[[], tuple[str, ...]] = lambda: ()
    figures: Callable[[], dict[str, Any]] = dict
    detecting: Callable[[], bool] = lambda: True
    detect: Callable[[bool], None] = lambda on: None
    note: Callable[[str], str] = lambda key: ""
    write_note: Callable[[str, str], None] = lambda key, value: None
    jitter: Callable[[], float] = field(default=random.random)
