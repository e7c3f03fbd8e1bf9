"""The documents tell the truth."""

from __future__ import annotations

import re
from pathlib import Path

from edge.cli import COMMANDS
from edge.reference import table

ROOT = Path(__file__).parents[2]


def test_the_table_of_keys_is_the_one_that_the_program_prints():
    assert table() in (ROOT / "docs/configuration.md").read_text()


def test_every_command_is_told_of_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    told = {name for name in COMMANDS if f"platewatch {name}" in readme or f"setup.sh {name}" in readme}
    assert told == set(COMMANDS)


def test_what_the_documents_point_to_is_there():
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / house / "README.md" for house in ("edge", "train", "convert", "deploy"))):
        for target in re.findall(r'\]\(([^)#:]+)\)|src="([^":]+)"', document.read_text()):
            assert (document.parent / "".join(target)).exists(), f"{document.name} points to {target}"
