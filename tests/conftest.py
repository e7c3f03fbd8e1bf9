"""In which order the files go to the workers: those that take long, most of it waiting, first, so that at the end nobody waits for one of them alone."""

from __future__ import annotations

from collections import Counter

import pytest

LONG = ("tests/e2e/test_units_nspawn.py", "tests/e2e/", "tests/fuzz/", "tests/browser/", "tests/unit/test_convert.py")


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # xdist would begin with the files of the most tests, which are the quickest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """By `LONG`, then by the number of tests in a file."""
    many = Counter(_file(item) for item in items)
    rank = {file: next((place for place, start in enumerate(LONG) if file.startswith(start)), len(LONG)) for file in many}
    items.sort(key=lambda item: (rank[_file(item)], -many[_file(item)]))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
