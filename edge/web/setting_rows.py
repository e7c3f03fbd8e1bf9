"""The lines of the forms of the settings: one for each key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.publish.settings import KINDS, ONLY_OF
from edge.settings_file import forms
from edge.settings_file.keys import MANY, Key, keys
from edge.settings_file.problems import Problem
from edge.settings_file.settings import Opened
from edge.web.speech import spoken, t


@dataclass(frozen=True, slots=True)
class Row:
    """One key in a form: `text` as it is typed, `default` likewise."""

    key: Key
    name: str
    text: str
    default: str
    written: bool = False
    problem: str = ""

    @property
    def is_default(self) -> bool:
        return self.text == self.default

    @property
    def limits(self) -> tuple[str, str]:
        """Least and most as text, '' where there is none."""
        least, most = ("" if one is None else spoken().number(one, 0 if one == int(one) else 2) for one in (self.key.least, self.key.most))
        return least, most


def rows(opened: Opened, typed: Mapping[str, str], problems: Sequence[Problem], asked: str = "") -> dict[str, list[Row]]:
    """Section -> its keys, those that were asked for alone."""
    values, written, wrong = opened.values(), set(opened.written()), {one.name: one.sentence for one in problems}
    found: dict[str, list[Row]] = {}
    for key in keys():
        if key.section == MANY or (asked and not _is_asked(key, asked)):
            continue
        text = forms.shown(key, values[key.section][key.key])
        row = Row(key, key.name, typed.get(key.name, text), forms.shown(key, key.default), key.name in written, wrong.get(key.name, ""))
        found.setdefault(key.section, []).append(row)
    return found


def _is_asked(key: Key, asked: str) -> bool:
    text = f"{key.name} {t(f'settings_keys.key.{key.name}')} {t(f'settings_keys.title.{key.section}')}".casefold()
    return all(word in text for word in asked.casefold().split())


def target_rows(kind: str, found: Mapping[str, Any], typed: Mapping[str, str], problems: Sequence[Problem] = ()) -> list[Row]:
    wrong = {one.name.rpartition(".")[2]: one.sentence for one in problems}
    made = []
    for key in keys():
        if key.section != MANY or key.key == "kind" or kind not in ONLY_OF.get(key.key, KINDS):
            continue
        default = forms.shown(key, key.default)
        text = forms.shown(key, found[key.key]) if key.key in found else default
        made.append(Row(key, key.key, typed.get(key.key, text), default, key.key in found, wrong.get(key.key, "")))
    return sorted(made, key=lambda row: not (row.key.key in ("name", "dialect") or row.written or kind in ONLY_OF.get(row.key.key, ())))
