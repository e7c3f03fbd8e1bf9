"""`[[targets]]` in the config file: what it takes, and what it says when it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.config import load
from edge.errors import ConfigError
from edge.publish import kinds, settings
from edge.publish.base import secret
from edge.publish.kinds import MAKERS, make
from edge.publish.settings import KINDS, NEEDED, ONLY_OF, TargetConfig
from edge.publish.told import Site


def complaint(folder: Path, text: str) -> str:
    path = folder / "watch.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


HOOK = "[[targets]]\nname = 'a'\nkind = 'webhook'\nurl = 'http://x'\n"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[[targets]]\nname = 'a'\nkind = 'mqqt'\n", ["watch.toml, line 3", "no kind of target 'mqqt'", "did you mean 'mqtt'?"]),
        ("[[targets]]\nname = 'a'\nkind = 'pigeon'\n", ["known are mqtt, webhook, jsonl, csv, exec"]),
        (HOOK + "dialect = 'frigat'\n", ["line 5", "no dialect 'frigat'", "did you mean 'frigate'?"]),
        (HOOK + HOOK.replace("'a'", "'b'") + "hots = 'x'\n", ["line 9", "unknown key", "'targets.1.hots'", "did you mean 'host'?"]),
        (HOOK + HOOK, ["two targets are named 'a'"]),
        ("[[targets]]\nkind = 'webhook'\nurl = 'http://x'\n", ["line 1", "targets needs a 'name'"]),
        ("[[targets]]\nname = 'My Hook'\nkind = 'webhook'\nurl = 'http://x'\n", ["a-z, 0-9", "'My Hook'"]),
        ("[[targets]]\nname = 'a'\nkind = 'mqtt'\n", ["target 'a': mqtt needs 'host'"]),
        ("[[targets]]\nname = 'a'\nkind = 'exec'\n", ["exec needs 'command'"]),
        (
            "[[targets]]\nname = 'a'\nkind = 'mqtt'\nhost = 'b'\ndialect = 'fast-plate-ocr'\n",
            ["'fast-plate-ocr' is not for mqtt but for csv", "mqtt takes native"],
        ),
        ("[[targets]]\nname = 'a'\nkind = 'csv'\npath = 'x'\n", ["'native' is not for csv", "csv takes fast-plate-ocr"]),
        (HOOK + "dialect = 'homeassistant'\n", ["'homeassistant' is not for webhook but for mqtt"]),
        (HOOK + "path = 'x'\n", ["line 1", "'path' is not for webhook but for jsonl, csv; take it out"]),
        ("[[targets]]\nname = 'a'\nkind = 'csv'\npath = 'x'\ndialect = 'fast-plate-ocr'\n", ["set picture = 'file' and 'picture_folder'"]),
        (HOOK + "picture = 'file'\n", ["needs 'picture_folder'"]),
        (HOOK + "picture = 'big'\n", ["line 5", "'none', 'base64' or 'file'", "'big'"]),
        (HOOK + "stages = ['last']\n", ["line 5", "'preview' or 'final'"]),
        (HOOK + "secret = 'hunter2'\n", ["does not stand in the config file", "'env:NAME' or 'file:PATH'"]),
        ("[[targets]]\nname = 'a'\nkind = 'mqtt'\nhost = 'b'\npassword = 12345\n", ["line 5", "targets.0.password", "but is not"]),
        ("[[targets]]\nname = 'a'\nkind = 'mqtt'\nhost = 'b'\nca_file = 'x'\n", ["certificates are of no use without tls = true"]),
        ("[[targets]]\nname = 'a'\nkind = 'mqtt'\nhost = 'b'\ntls = true\ncert_file = 'x'\n", ["'cert_file' and 'key_file' go together"]),
        ("[[targets]]\nname = 'a'\nkind = 'mqtt'\nhost = 'b'\npassword = 'env:X'\n", ["'password' needs 'user'"]),
        ("[[targets]]\nname = 'a'\nkind = 'mqtt'\nhost = 'b'\ntopic = 'a/#'\n", ["cannot hold + or #"]),
        (HOOK + "timeout_s = 0\n", ["line 5", "greater than 0"]),
        ("[targets]\nname = 'a'\n", ["line 1", "targets"]),
        ("[outbox]\nmax_events = 1\n", ["line 2", "outbox.max_events"]),
    ],
)
def test_a_bad_target_is_one_sentence_that_names_the_place_and_the_mend(tmp_path: Path, text: str, parts: list[str]) -> None:
    said = complaint(tmp_path, text)
    assert [part for part in parts if part not in said] == []
    assert "\n" not in said
    assert "hunter2" not in said
    assert "12345" not in said


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    """Of files, certificates and secrets alike; a header's text stays a text."""
    (tmp_path / "watch.toml").write_text(
        """
        [[targets]]
        name = "a"
        kind = "webhook"
        url = "file:url"
        secret = "file:secret"
        headers = { X-Key = "file:key", X-Name = "gate" }
        ca_file = "ca.pem"
        [[targets]]
        name = "b"
        kind = "jsonl"
        path = "out/events.jsonl"
        """
    )
    hook, file = load(tmp_path / "watch.toml").targets
    assert (hook.url, hook.secret, hook.ca_file) == (f"file:{tmp_path}/url", f"file:{tmp_path}/secret", f"{tmp_path}/ca.pem")
    assert hook.headers == {"X-Key": f"file:{tmp_path}/key", "X-Name": "gate"}
    assert file.path == f"{tmp_path}/out/events.jsonl"


def test_the_kinds_are_those_of_the_table() -> None:
    """What the config takes can be made, and the other way round; every key that is some kinds' alone exists."""
    assert set(MAKERS) == set(KINDS) == set(NEEDED)
    assert set(ONLY_OF) <= set(TargetConfig.model_fields)
    assert {kind for several in ONLY_OF.values() for kind in several} <= set(KINDS)
    assert set(kinds.MAKERS) == set(settings.KINDS)


def test_a_secret_is_read_from_where_it_is(tmp_path: Path) -> None:
    """The environment or a file, without its last line end; an empty reference is no secret."""
    (tmp_path / "key").write_text("s3cret\n")
    assert secret("env:KEY", "x", {"KEY": "other"}) == "other"
    assert secret(f"file:{tmp_path}/key", "x", {}) == "s3cret"
    assert secret("", "x", {}) == ""


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"secret": "env:NOWHERE_TO_BE_FOUND"}, "target 'a', secret: the environment has no 'NOWHERE_TO_BE_FOUND'; set it"),
        ({"secret": "file:/nowhere/key"}, "target 'a', secret: /nowhere/key cannot be read (No such file or directory)"),
        ({"headers": {"X-Key": "file:/nowhere/key"}}, "target 'a', header X-Key: /nowhere/key cannot be read"),
        ({"headers": {"X Key": "v"}}, "header 'X Key' cannot be sent"),
        ({"headers": {"X-Key": "a\nb"}}, "header 'X-Key' cannot be sent"),
        ({"url": "ftp://x"}, "url is no http or https address"),
        ({"url": "http://user:pass@x/"}, "put an Authorization header"),
        ({"url": "http://x:99999/"}, "url is no address"),
        ({"url": "http://x/ y"}, "url is no http or https address"),
        ({"url": "https://x", "ca_file": "/nowhere/ca.pem"}, "ca_file /nowhere/ca.pem cannot be used"),
        ({"kind": "mqtt", "host": "b", "user": "u", "password": "env:NOWHERE_TO_BE_FOUND"}, "target 'a', password: the environment has no"),
        ({"kind": "mqtt", "host": "b", "tls": True, "ca_file": "/nowhere/ca.pem"}, "ca_file /nowhere/ca.pem is not there"),
    ],
)
def test_what_is_missing_at_the_start_is_named(changes: dict[str, Any], part: str) -> None:
    """One sentence; the value of a secret, or an address that may hold one, is not repeated."""
    fields = {"name": "a", "kind": "webhook"} | ({"url": "http://x"} if changes.get("kind") != "mqtt" else {}) | changes
    with pytest.raises(ConfigError) as caught:
        make(TargetConfig(**fields), Site())
    assert part in str(caught.value)
    assert "pass" not in str(caught.value).replace("password", "")


def test_an_empty_secret_file_is_no_secret(tmp_path: Path) -> None:
    """Else everything would be signed with nothing."""
    (tmp_path / "key").write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        secret(f"file:{tmp_path}/key", "target 'a', secret", {})
