"""Config files that are spoilt in every way: good, or one sentence that names the file; never another exception, never a secret."""

from __future__ import annotations

import contextlib
import io
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import cli
from edge.config import Config, load
from edge.errors import ConfigError
from edge.safe import SafeMode, salvage
from tests.fuzz.spoiling import LONGEST, SECRET, as_toml, cases, check_sentence, misfit, spoilt

WHOLE = f"""\
# A gate with everything.
[camera]
name = "yard"
kind = "opencv"
source = "rtsp://viewer:{SECRET}@10.0.0.7/main"
fps_limit = 12.5

[night]
switch = "sun"
latitude = 52.5
longitude = 13.4

[view]
include = [[[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]]
exclude = [[[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]]]

[store]
path = "var/events.sqlite"
retention_days = 3.5

[runtime]
directory = "run"

[web]
port = 8080
password_hash = "{SECRET}"

[country]
codes = "gb,de"

[lists]
allow = ["family.toml"]
time_zone = "Europe/Berlin"

[gate]
enabled = true
send_to = "mqtt:broker/gate"
command = []

[[targets]]
name = "broker"
kind = "mqtt"
host = "127.0.0.1"
user = "me"
password = "env:PASSWORD"

[[targets]]
name = "hook"
kind = "webhook"
url = "https://me:{SECRET}@example.org/in?token={SECRET}"
headers = {{ Authorization = "Bearer {SECRET}", X-Kind = "env:KIND" }}

[[targets]]
name = "lines"
kind = "jsonl"
path = "events.jsonl"
"""
DOCUMENT: dict[str, Any] = tomllib.loads(WHOLE.replace('codes = "gb,de"\n', ""))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "c.toml"


def tried(path: Path, content: bytes) -> Config | None:
    """The config, or None after a check of the sentence; what can be saved of it is a config in any case."""
    path.write_bytes(content)
    salvage(path)
    try:
        return load(path)
    except ConfigError as error:
        check_sentence(error, str(path))
        return None


def test_the_whole_one_is_good(file: Path) -> None:
    """Else nothing here would get beyond its first mistake."""
    assert tried(file, as_toml(DOCUMENT).encode()) is not None


@cases(150)
@given(st.data())
def test_values_of_the_wrong_kind(file: Path, data: st.DataObject) -> None:
    content = as_toml(data.draw(misfit(DOCUMENT))).encode()
    tomllib.loads(content.decode())
    tried(file, content)


@cases(80)
@given(spoilt(WHOLE.encode()))
def test_bytes_spoilt(file: Path, content: bytes) -> None:
    tried(file, content)


NASTY = {
    "empty": (b"", True),
    "nul": (b"\0" * 4000, False),
    "not text": (bytes(range(256)), False),
    "a mark in front": (b"\xef\xbb\xbf[camera]\nname = 'a'\n", None),
    "another code": (WHOLE.encode("utf-16"), False),
    "lines of Windows": (WHOLE.replace('codes = "gb,de"\n', "").replace("\n", "\r\n").encode(), True),
    "deep lists": (b"[view]\ninclude = " + b"[" * 20_000 + b"]" * 20_000, False),
    "deep tables": (b"[" + b".".join([b"a"] * 5000) + b"]\n", False),
    "deep keys": (b"camera." + b".".join([b"a"] * 5000) + b" = 1\n", False),
    "a number of 9000 digits": (b"[web]\nport = " + b"9" * 9000, False),
    "a number to the power of 400": (b"[store]\nretention_days = 1e400", False),
    "a long word": (b"[camera]\nname = '" + b"x" * 1_000_000 + b"'", False),
    "a long key": (b"[camera]\n" + b"x" * 1_000_000 + b" = 1", False),
    "many tables": (b"[[targets]]\n" * 20_000, False),
    "many keys": (b"[camera]\n" + b"".join(b"k%d = 1\n" % one for one in range(5000)), False),
    "a table for a word": (f"camera = {{ source = {{ password = '{SECRET}' }} }}".encode(), False),
    "targets in one table": (f"[targets]\npassword = '{SECRET}'".encode(), False),
    "a header that is a list": (f"[[targets]]\nname='a'\nkind='webhook'\nurl='http://a'\nheaders = {{ Authorization = ['{SECRET}'] }}".encode(), False),
    "a source that is a list": (f"[camera]\nsource = ['rtsp://a:{SECRET}@b/c']".encode(), False),
    "a password as a number of targets": (f"[[targets]]\nname='a'\nkind='mqtt'\nhost=7\npassword='{SECRET}'".encode(), False),
    "a section that is text": (f"web = 'password {SECRET}'".encode(), False),
    "a digit that is none": ("[camera]\n'²' = 1".encode(), False),
    "nan": (b"[tracking]\nlost_after_s = nan", False),
    "infinity": (b"[night]\nbelow_lux = 1.0\nabove_lux = inf", False),
    "a line in a name": (b'[camera]\nname = "a\\nb\\u0000c"', False),
    "a path with a nul": (b'[runtime]\ndirectory = "a\\u0000b"', False),
}


@pytest.mark.parametrize("which", NASTY)
def test_what_people_and_broken_cards_write(file: Path, which: str) -> None:
    content, good = NASTY[which]
    found = tried(file, content)
    assert good is None or (found is not None) == good


@pytest.mark.parametrize("name", ["nothing.toml", "folder", "a\0b", "x" * 5000, "~", ""])
def test_files_that_are_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path / name) if name else "")
    check_sentence(caught.value, longest=LONGEST if len(name) < 1000 else 10_000)


@cases(40)
@given(st.data())
def test_the_command_line_says_the_same(file: Path, data: st.DataObject) -> None:
    """`platewatch config --check`, `get` and `set` of a spoilt file: 0 or 1, and at most one line of complaint."""
    file.write_bytes(data.draw(spoilt(WHOLE.encode()) | misfit(DOCUMENT).map(lambda made: as_toml(made).encode())))
    key = data.draw(st.sampled_from(["camera.name", "targets.0.name", "store", "", ".", "web.port", "no.such", "targets"]))
    value = data.draw(st.sampled_from(["", "nan", "1", "[[[", '"', "\n", "a = 1", "1979-13-45", "true", "9" * 5000, "[" * 3000]))
    for words in (
        ["--check", str(file)],
        ["get", key, "--config", str(file)],
        ["set", key, value, "--config", str(file)],
        ["unset", key, "--config", str(file)],
    ):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main(["config", *words])
        said = err.getvalue()
        assert code in (0, 1)
        assert SECRET not in said
        assert said.count("\n") == code, said
        assert len(said) <= LONGEST + 20, said


@cases(15)
@given(st.data())
def test_safe_mode_lives_on_any_of_them(file: Path, data: st.DataObject) -> None:
    """What the daemon does with a config that cannot be used: it tells so in the status file where there is a folder for it, and waits to be asked."""
    file.write_bytes(data.draw(spoilt(WHOLE.encode()) | misfit(DOCUMENT).map(lambda made: as_toml(made).encode())))
    safe = SafeMode(file, "c.toml: trouble")
    safe.again()
    assert safe.wait()
