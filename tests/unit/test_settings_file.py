"""The config file as it is edited: comments stay, what is wrong is said, secrets are not shown, and nothing is lost."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from edge import cli, whole_file
from edge.config import Config, load, sections, shown
from edge.errors import ConfigError
from edge.secrecy import is_secret
from edge.settings_file.draft import Change, checked, tried
from edge.settings_file.keys import find, keys
from edge.settings_file.secrets import MASK, masked, masked_text, unmasked, unmasked_text
from edge.settings_file.settings import SettingsFile, Wrong

FILE = """\
# My gate.
[camera]
name = "yard"   # by the road
kind = "opencv"
source = "rtsp://viewer:h0rse/b@t@10.0.0.7/main"

[store]  # short
retention_days = 3.5

# who is told
[[targets]]
name = "hook"
kind = "webhook"
url = "https://example.org/in"
headers = { Authorization = "Bearer s3cr3t", X-Kind = "env:KIND" }

[[targets]]   # second
name = "lines"
kind = "jsonl"
path = "events.jsonl"

[web]
password_hash = "scrypt$1$2$3$c2FsdA==$a2V5"
"""
SECRETS = ("h0rse", "b@t", "s3cr3t", "scrypt$", "a2V5")


@pytest.fixture
def settings(tmp_path: Path) -> SettingsFile:
    path = tmp_path / "c.toml"
    path.write_text(FILE)
    path.chmod(0o640)
    return SettingsFile(path)


def save(settings: SettingsFile, *changes: Change) -> str:
    settings.save(changes, settings.open().etag)
    return settings.path.read_text()


def test_every_key_is_described_as_a_form_needs_it() -> None:
    told = {key.name: key for key in keys()}
    assert set(told) == {f"{section}.{key}" for section, kind in sections().items() for key in kind.model_fields}
    assert (told["store.retention_days"].type, told["store.retention_days"].unit, told["store.retention_days"].most) == ("number", "days", 3650)
    assert (told["store.retention_days"].least, told["store.retention_days"].open_least) == (0, True)
    assert (told["camera.kind"].type, told["camera.kind"].choices) == ("choice", ("files", "opencv", "pi"))
    assert told["view.exclude"].type == "polygons"
    assert told["night.latitude"].optional
    assert told["web.password_hash"].secret
    assert (told["web.port"].effect, told["store.path"].effect, told["store.retention_days"].effect) == ("page", "restart", "live")
    assert told["targets.kind"].needed
    assert all(key.description for key in keys())


def test_a_change_leaves_comments_and_order(settings: SettingsFile) -> None:
    text = save(settings, Change("store.retention_days", "set", 5), Change("camera.name", "set", "gate"), Change("store.crops", "set", False))
    expected = FILE.replace('"yard"', '"gate"').replace("3.5", "5.0").replace("retention_days = 5.0\n", "retention_days = 5.0\ncrops = false\n")
    assert text == expected
    assert save(settings, Change("store.crops", "unset")) == expected.replace("crops = false\n", "")


def test_a_section_that_is_not_there_yet_is_added(settings: SettingsFile) -> None:
    text = save(settings, Change("tracking.min_reads", "set", 4))
    assert text.startswith(FILE.rstrip("\n"))
    assert load(settings.path).tracking.min_reads == 4


def test_polygons_stand_a_line_each_and_come_back(settings: SettingsFile) -> None:
    polygons = [[[0.0, 0.0], [1.0, 0.0], [1.0, 0.123456]], [[0.5, 0.5], [1.0, 0.5], [1.0, 1.0], [0.5, 1.0]]]
    text = save(settings, Change("view.exclude", "set", polygons))
    assert "    [[0.0, 0.0], [1.0, 0.0], [1.0, 0.1235]],\n" in text
    assert load(settings.path).view.exclude[1] == ((0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0))
    assert "exclude = []" in save(settings, Change("view.exclude", "set", []))


def test_targets_are_added_changed_moved_and_removed(settings: SettingsFile) -> None:
    text = save(settings, Change("targets", "add", {"name": "table", "kind": "jsonl", "path": "more.jsonl"}), Change("targets[1].keep_files", "set", 9))
    assert [one["name"] for one in tomllib.loads(text)["targets"]] == ["hook", "lines", "table"]
    assert "# second" in text
    assert "# who is told" in text
    text = save(settings, Change("targets[2]", "move", 0))
    assert [one["name"] for one in tomllib.loads(text)["targets"]] == ["table", "hook", "lines"]
    text = save(settings, Change("targets[0]", "remove"), Change("targets[1].keep_files", "unset"))
    assert tomllib.loads(text)["targets"] == tomllib.loads(FILE)["targets"]
    text = save(settings, Change("targets[0]", "set", {"name": "hook", "kind": "webhook", "url": "https://example.org/in", "headers": {"Authorization": MASK}}))
    assert tomllib.loads(text)["targets"][0]["headers"] == {"Authorization": "Bearer s3cr3t"}


def test_the_first_target_of_a_file_without_any(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("# nothing\n")
    save(SettingsFile(path), Change("targets", "add", {"name": "a", "kind": "jsonl", "path": "x"}))
    assert load(path).targets[0].name == "a"
    save(SettingsFile(path), Change("targets[0]", "remove"))
    assert load(path).targets == ()


def test_no_secret_is_shown_and_none_is_lost(settings: SettingsFile) -> None:
    """Neither as values nor as text; what comes back as it was shown is kept, also where a line beside it was edited."""
    opened = settings.open()
    shown = f"{opened.values()} {opened.shown_text()}"
    assert [word for word in SECRETS if word in shown] == []
    assert opened.values()["targets"][0]["headers"] == {"Authorization": MASK, "X-Kind": "env:KIND"}
    settings.save_text(opened.shown_text().replace('"yard"', '"gate"').replace("3.5", "9.0"), opened.etag)
    assert settings.path.read_text() == FILE.replace('"yard"', '"gate"').replace("3.5", "9.0")
    text = save(settings, Change("camera.source", "set", f"rtsp://{MASK}@10.0.0.7/sub"))
    assert 'source = "rtsp://viewer:h0rse/b@t@10.0.0.7/sub"' in text


def test_a_secret_goes_to_no_other_host(settings: SettingsFile) -> None:
    with pytest.raises(ConfigError, match="whole value"):
        settings.check([Change("camera.source", "set", f"rtsp://{MASK}@evil.example/main")])
    with pytest.raises(ConfigError, match=r"line 5: write the whole value"):
        settings.check_text(settings.open().shown_text().replace("10.0.0.7", "evil.example"))


def test_secrets_in_a_broken_file_are_hidden_too() -> None:
    text = "x = [\n[targets.headers]\nAuthorization = \"Bearer s3cr3t\n[web]\npassword_hash = scrypt\"s3cr3t\npassword = 's3cr3t'\n"
    assert "s3cr3t" not in masked_text(text)
    assert len(masked_text(text).splitlines()) == len(text.splitlines())


def test_masks_come_off_as_they_went_on() -> None:
    two = "\n".join(f'[[targets]]\nname = "{name}"\nheaders = {{ A = "{name}-key" }}' for name in "ab")
    swapped = "\n".join(masked_text(two).split("\n")[3:] + masked_text(two).split("\n")[:3])
    assert unmasked_text(swapped, two) == "\n".join(two.split("\n")[3:] + two.split("\n")[:3])
    assert masked("secret", "file:/run/key") == "file:/run/key"
    assert unmasked("headers", {"A": MASK, "B": "new"}, {"A": "old"}) == {"A": "old", "B": "new"}
    with pytest.raises(ConfigError, match="whole value"):
        unmasked("headers", {"C": MASK}, {"A": "old"})


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(settings: SettingsFile) -> None:
    """A sentence for each key, and for keys that do not fit together."""
    changes = [Change("store.retention_days", "set", -1), Change("camera.kind", "set", "film"), Change("governor.cool_c", "set", 90)]
    found = {one.name: one for one in settings.check(changes).problems}
    assert set(found) == {"store.retention_days", "camera.kind", "governor"}
    assert found["store.retention_days"].sentence == "store.retention_days should be greater than 0, but is -1.0"
    assert found["store.retention_days"].line == 8
    assert "is not below governor.hot_c" in found["governor"].sentence
    with pytest.raises(Wrong, match="and 2 more"):
        settings.save(changes, settings.open().etag)
    assert settings.path.read_text() == FILE


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("store.colour", "set", 1), "no key 'store.colour'"),
        (Change("store", "set", {}), "no key 'store'"),
        (Change("targets[7]", "remove"), "no target number 7"),
        (Change("targets[0].colour", "set", 1), "no key 'colour'"),
        (Change("targets[0]", "move", 2), "a place from 0 to 1"),
        (Change("web.password_hash", "set", "x"), "--set-password"),
        (Change("store.path", "set", None), "needs a value"),
    ],
)
def test_a_change_that_cannot_be_made_is_one_sentence(settings: SettingsFile, change: Change, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("[", r"\[")):
        settings.check([change])


def test_whoever_read_an_older_file_overwrites_nothing(settings: SettingsFile) -> None:
    etag = settings.open().etag
    settings.path.write_text(FILE + "# by hand\n")
    for act in (lambda: settings.save([Change("store.crops", "set", False)], etag), lambda: settings.save_text("", etag), lambda: settings.restore(etag)):
        with pytest.raises(ConfigError, match=r"somebody else|no earlier"):
            act()
    assert settings.path.read_text() == FILE + "# by hand\n"


def test_the_file_of_before_is_kept_and_comes_back(settings: SettingsFile) -> None:
    """And forth; of the same mode, since the secrets stand in it too."""
    with pytest.raises(ConfigError, match="no earlier one"):
        settings.restore(settings.open().etag)
    saved = settings.save([Change("store.path", "set", "x.sqlite"), Change("web.port", "set", 81)], settings.open().etag)
    assert (saved.restart, saved.page) == (("store.path",), ("web.port",))
    before = whole_file.previous(settings.path)
    assert [stat.S_IMODE(os.stat(path).st_mode) for path in (settings.path, before)] == [0o640, 0o640]
    settings.restore(saved.etag)
    assert settings.path.read_text() == FILE
    settings.restore(settings.open().etag)
    assert load(settings.path).web.port == 81
    before.write_text("[store]\nretention_days = -1\n")
    with pytest.raises(Wrong, match="retention_days"):
        settings.restore(settings.open().etag)


def test_a_link_goes_on_pointing_where_it_did(settings: SettingsFile, tmp_path: Path) -> None:
    link = tmp_path / "etc/link.toml"
    link.parent.mkdir()
    link.symlink_to(settings.path)
    save(SettingsFile(link), Change("store.crops", "set", False))
    assert link.is_symlink()
    assert not load(settings.path).store.crops
    assert whole_file.previous(link).parent == tmp_path


def test_a_file_with_errors_is_opened_as_text_and_mended(settings: SettingsFile) -> None:
    settings.path.write_text(FILE.replace("retention_days = 3.5", "retention_days = = 3.5"))
    opened = settings.open()
    assert (opened.config, opened.problems[0].line) == (None, 8)
    assert opened.problems[0].sentence.startswith("line 8: not valid TOML")
    with pytest.raises(ConfigError, match="mend it as text"):
        settings.check([Change("store.crops", "set", False)])
    settings.save_text(opened.shown_text().replace("= =", "="), opened.etag)
    assert settings.path.read_text() == FILE


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self/status").exists(), reason="needs a user without all rights")
def test_what_cannot_be_written_is_one_sentence(settings: SettingsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that can only be read, as in the sandbox of a unit."""

    def read_only(*_: Any, **__: Any) -> int:
        raise OSError(30, "Read-only file system")

    etag = settings.open().etag
    monkeypatch.setattr(whole_file.os, "replace", read_only)
    with pytest.raises(whole_file.Unwritable, match=r"/etc/platewatch") as said:
        settings.save([Change("store.crops", "set", False)], etag)
    assert str(said.value).count("\n") == 0
    assert sorted(path.name for path in settings.path.parent.iterdir()) == ["c.toml"]
    assert settings.path.read_text() == FILE


def test_a_file_written_in_an_odd_way_is_not_spoilt() -> None:
    """Dotted keys, inline tables, an array of targets in one line."""
    for text in ('store.retention_days = 3.0\n[camera]\nname = "a"\n', "store = { retention_days = 3.0 }\n"):
        assert tried(text, [Change("store.retention_days", "set", 4)]).config == Config.model_validate(
            {**tomllib.loads(text), "store": {"retention_days": 4.0}}
        )
    one = 'targets = [{ name = "a", kind = "jsonl", path = "x" }]\n'
    made = tried(one, [Change("targets", "add", {"name": "b", "kind": "jsonl", "path": "y"})])
    assert [target["name"] for target in tomllib.loads(made.text)["targets"]] == ["a", "b"]


def test_the_password_has_its_own_way(settings: SettingsFile) -> None:
    settings.save_password_hash("scrypt$9$9$9$YQ==$YQ==", settings.open().etag)
    assert load(settings.path).web.password_hash == "scrypt$9$9$9$YQ==$YQ=="
    settings.save_password_hash("", settings.open().etag)
    assert load(settings.path).web.password_hash == ""


def test_the_command_line_uses_the_same(settings: SettingsFile, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--config", str(settings.path)]
    assert cli.main(["config", "set", "store.retention_days", "12", *words]) == 0
    assert cli.main(["config", "get", "store.retention_days", *words]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "12.0"
    assert cli.main(["config", "set", "camera.source", "0", *words]) == 0  # a text, though it looks like a number
    assert cli.main(["config", "set", "targets[1].keep_files", "7", *words]) == 0
    assert load(settings.path).targets[1].keep_files == 7
    assert cli.main(["config", "unset", "store.retention_days", *words]) == 0
    assert cli.main(["config", "restore", *words]) == 0
    assert load(settings.path).store.retention_days == 12.0
    assert cli.main(["config", "set", "store.retention_days", "never", *words]) == 1
    assert cli.main(["config", "get", "store.colour", *words]) == 1
    assert cli.main(["config", "get", "web.password_hash", *words]) == 0
    said = capsys.readouterr()
    assert "scrypt" not in said.out
    assert len(said.err.splitlines()) == 2
    for wrong in (["config"], ["config", "fly"], ["config", "get"], ["config", "--table", "get", "x"]):
        with pytest.raises(SystemExit):
            cli.main(wrong)


def test_find_knows_each_key_once() -> None:
    assert find("store", "path") is not None
    assert find("store", "colour") is None
    assert checked("").config == Config()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('web.password = "h0rse"', f'web.password = "{MASK}"'),
        ("  \"camera.a-b_token\" = 'h0rse'", f'  "camera.a-b_token" = "{MASK}"'),
        ('targets = [{ name = "a", secret = "h0rse", topic = "t" }]', f'targets = [{{ name = "a", secret = "{MASK}", topic = "{MASK}" }}]'),
        ('# old: password = "h0rse"', f'# old: password = "{MASK}"'),
        ('url = "http://a.example/?x=1&my_token=h0rse&y=2"', f'url = "http://a.example/?x=1&my_token={MASK}&y=2"'),
        ('password = "env:HORSE"  # not here', 'password = "env:HORSE"  # not here'),
        ('secretary = "h0rse"', 'secretary = "h0rse"'),
    ],
)
def test_a_secret_is_hidden_wherever_its_key_stands_in_a_line(line: str, shown: str) -> None:
    """With its table before it, in a table of one line, in a comment, in an address; and comes back unchanged."""
    assert masked_text(line) == shown
    assert unmasked_text(shown, line) == line


def test_one_rule_says_which_keys_are_secret_wherever_a_value_may_be_repeated() -> None:
    """A message about a wrong value, a form and the whole file: what one of them hides, all hide."""
    for key in ("password", "secret", "password_hash", "headers", "mqtt_password", "a-b_secret", "x_token", "_token", "source", "tokens", "passwords", "name"):
        hidden = is_secret(key)
        assert (shown(["camera", key], "h0rse") == "not") == hidden
        assert (masked(key, "h0rse") == MASK) == hidden
        assert (MASK in masked_text(f'{key} = "h0rse"')) == hidden
