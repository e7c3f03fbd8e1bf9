"""How much a request may bring. A view that takes more than a form says so: `@takes(5_000_000)`, directly above `@needs`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

LARGEST_FORM = 16 * 1024
MARK = "largest_body"
View = TypeVar("View", bound=Callable[..., Any])


def takes(largest: int) -> Callable[[View], View]:
    """`largest` in bytes."""

    def mark(view: View) -> View:
        setattr(view, MARK, largest)
        return view

    return mark


def largest_body(view: Callable[..., Any]) -> int:
    return int(getattr(view, MARK, LARGEST_FORM))
