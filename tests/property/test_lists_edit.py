"""Whatever is done to a list, the other format and the way back say the same."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.lists.edit import ListFile, create
from edge.lists.exchange import export, preview
from edge.lists.settings import ListsConfig

words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12).map(str.strip).filter(lambda text: text.isprintable())
rows = st.lists(
    st.fixed_dictionaries(
        {"plate": st.text("ABC0123456789", min_size=3, max_size=8)},
        optional={
            "name": words,
            "note": words,
            "until": st.dates(date(2020, 1, 1), date(2099, 1, 1)).map(str),
            "times": st.sampled_from(["Sun", "Mon-Fri 07:00-18:00; Sat"]),
        },
    ),
    max_size=6,
    unique_by=lambda row: row["plate"],
)


@settings(max_examples=60, deadline=None)
@given(first=rows, second=rows, kind=st.sampled_from([".toml", ".csv"]))
def test_what_is_saved_is_what_is_read(first: list[dict[str, str]], second: list[dict[str, str]], kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{kind}"
        opened = create(path, "allow", ListsConfig(), first)
        for wanted in (second, first):
            opened = ListFile(path, "allow", ListsConfig()).save(wanted, opened.etag)
            assert [dict(row) for row in opened.rows] == [{key: value for key, value in row.items() if value} for row in wanted]
        found = preview(opened, "b.csv", export(opened).encode())
        assert (found.new, found.changed, found.refused) == ((), (), ())
