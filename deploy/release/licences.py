"""Which licences a wheel may have to be handed out with a release: permissive ones. What a wheel states of itself is all that is looked at.

Libraries inside a wheel need not be: OpenCV's says Apache-2.0 and carries FFmpeg (LGPL-2.1) among others as shared libraries, with their texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from deploy.release.errors import ReleaseError

if TYPE_CHECKING:
    from deploy.release.wheels import Wheel

PERMISSIVE = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU", "NCSA", "PSF-2.0", "Python-2.0",
    "Unicode-3.0", "Unlicense", "Zlib",
})  # fmt: skip
"""By their SPDX names."""
KNOWN = frozenset(name.lower() for name in PERMISSIVE)
SPELT = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
    "zlib/libpng license": "Zlib",
}
"""How classifiers and free text call them, in small letters; of what a name may mean the stricter."""
PASSED = {"tqdm": ("MPL-2.0 AND MIT", "asks that its own files stay open when somebody changes them; it is handed out unchanged, and is its own source")}
"""Looked at one by one: project -> the very words it states, and why it may go along. With other words it is looked at again."""


def check(wheels: Iterable[Wheel]) -> None:
    """Raises ReleaseError which names every wheel whose licence is not permissive."""
    if refused := [f"{wheel.path.name} ({wheel.licence})" for wheel in wheels if not passes(wheel.name, wheel.licence)]:
        raise ReleaseError(
            f"no permissive licence: {', '.join(refused)}; use another package, or read what its licence asks for and enter it in deploy/release/licences.py"
        )


def passes(project: str, stated: str) -> bool:
    """`stated`: as in a Wheel."""
    return (project in PASSED and PASSED[project][0] == stated) or permissive(stated) or all(permissive(part) for part in stated.split(", "))


def permissive(stated: str) -> bool:
    """Of an SPDX expression, or a name of SPELT: of several that are joined by OR one is enough."""
    words = re.findall(r"[()]|[^\s()]+", SPELT.get(stated.strip().lower(), stated))
    try:
        good, rest = _either(words)
    except IndexError:
        return False
    return good and not rest


def _either(words: list[str]) -> tuple[bool, list[str]]:
    """(whether it holds, what follows): `a OR b`."""
    good, rest = _both(words)
    while rest and rest[0].upper() == "OR":
        other, rest = _both(rest[1:])
        good = good or other
    return good, rest


def _both(words: list[str]) -> tuple[bool, list[str]]:
    """`a AND b`, which binds more tightly."""
    good, rest = _one(words)
    while rest and rest[0].upper() == "AND":
        other, rest = _one(rest[1:])
        good = good and other
    return good, rest


def _one(words: list[str]) -> tuple[bool, list[str]]:
    """A name, or something in brackets. An exception (WITH) only ever allows more."""
    if words[0] == "(":
        good, rest = _either(words[1:])
        return good and rest[0] == ")", rest[1:]
    rest = words[3:] if len(words) > 2 and words[1].upper() == "WITH" else words[1:]
    return words[0].lower() in KNOWN, rest
