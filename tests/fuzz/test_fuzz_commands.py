"""Every command with nonsense behind it: argparse's usage (2), or one sentence (1), or an answer (0); never a traceback."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import cli
from tests.fuzz.spoiling import SECRET, cases

SHORT = sorted(set(cli.COMMANDS) - {"run", "demo", "web", "bench", "doctor", "support"})
"""They end by themselves, and soon."""
LONG = ("demo", "web", "bench", "doctor", "support")
"""These are given one word too many, so that nothing begins."""
ROOT = Path(__file__).parent.parent.parent
WORDS = st.sampled_from(
    ["", "-", "--", "-1", "0", "1e9", "nan", "inf", "99999999999999999999", "\n", "\x1b[2J", "a\0b", "ü", "no-such-file", "/dev/null", ".", "/", "~", "x" * 300,
     "[[[", "{}", "2026-13-45", "2026-01-01T00:00:00", "9999-12-31", "0001-01-01", "AB12CDE", "%", "*", "' OR 1=1 --", "de,fr", "auto", "listed.jpg", "c.toml",
     "good.toml", "/proc/self/mem", "http://127.0.0.1:9/", "true", "1,2,3", "a=b", "٣", "1_0", "-0", "+5", "0x10"]
)  # fmt: skip


def options(command: str) -> list[argparse.Action]:
    parser = cli._parser([command])
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return [action for action in commands.choices[command]._actions if "--help" not in action.option_strings]


@st.composite
def lines(draw: st.DrawFn, among: tuple[str, ...] | list[str]) -> list[str]:
    """A command with some of its own options, and nonsense for their values."""
    command = draw(st.sampled_from(among))
    words = [command]
    known = options(command)
    for action in draw(st.lists(st.sampled_from(known), max_size=4)) if known else ():
        if action.option_strings:
            words.append(draw(st.sampled_from(list(action.option_strings))))
        many = action.nargs if isinstance(action.nargs, int) else 1
        words += [draw(WORDS | st.sampled_from([str(one) for one in action.choices or ("1",)])) for _ in range(many)]
    return words + draw(st.lists(WORDS, max_size=2))


@pytest.fixture(autouse=True)
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a config or two in it, to work in."""
    before, found = Path.cwd(), tmp_path_factory.mktemp("here")
    (found / "good.toml").write_text('[camera]\nname = "gate"\n')
    (found / "c.toml").write_text(f'[web]\npassword_hash = ["{SECRET}"]\n')
    (found / "listed.jpg").write_bytes(b"\xff\xd8 no picture")
    os.chdir(found)
    yield found
    os.chdir(before)


def tried(words: list[str]) -> int:
    """The exit status; checks what was said."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main(words)
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
    said = err.getvalue()
    assert code in (0, 1, 2), (code, said)
    assert "Traceback" not in said
    assert SECRET not in said + out.getvalue()
    if code == 1 and words[0] not in ("read", "doctor"):
        assert said.count("\n") <= 1, said
    return code


@cases(150)
@given(lines(SHORT))
def test_nonsense(words: list[str]) -> None:
    tried(words)


@cases(60)
@given(lines(LONG))
def test_nonsense_for_what_would_begin_to_serve(words: list[str]) -> None:
    assert tried([words[0], "--no-such-option", *words[1:]]) == 2


@pytest.mark.parametrize(
    "words", [["--config", "no-such.toml"], ["--config", "."], ["--config", "c.toml"], ["--config"], ["--verbose", "more"], ["--config", "x" * 5000]]
)
def test_the_daemon_ends_with_a_sentence(here: Path, words: list[str]) -> None:
    """In a process of its own, as a terminal would start it."""
    done = subprocess.run(
        [sys.executable, "-m", "edge", "run", *words],
        capture_output=True,
        text=True,
        cwd=here,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert done.returncode == 2 or done.stderr.count("\n") == 1
