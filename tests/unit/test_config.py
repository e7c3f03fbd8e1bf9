"""The config file: what it takes, and what it says when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.camera.kinds import KINDS
from edge.config import CameraConfig, Config, load, sections
from edge.errors import ConfigError
from edge.reference import example, table


def written(folder: Path, text: str) -> Path:
    path = folder / "watch.toml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text))
    return str(caught.value)


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    """Nothing needs to be set but what differs."""
    config = load(written(tmp_path, ""))
    assert (config.camera, config.tracking, config.motion) == (Config().camera, Config().tracking, Config().motion)


def test_the_example_is_the_defaults(tmp_path: Path) -> None:
    """What `config --example` prints loads, and changes nothing."""
    assert load(written(tmp_path, example())) == load(written(tmp_path, ""))


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    """A daemon started from anywhere finds the same store, clip and bundle; a bundle's plain name stays a name."""
    config = load(written(tmp_path, '[camera]\nkind = "files"\nsource = "clip.mp4"\n[store]\npath = "a/b.sqlite"\n[models]\nreader = "./mine"\n'))
    assert config.camera.source == str(tmp_path / "clip.mp4")
    assert config.store.path == str(tmp_path / "a/b.sqlite")
    assert (config.models.detector, config.models.reader) == ("detector", str(tmp_path / "mine"))


def test_a_stream_address_is_no_path(tmp_path: Path) -> None:
    """Only the files camera's source is a path."""
    assert load(written(tmp_path, '[camera]\nsource = "rtsp://gate/1"\n')).camera.source == "rtsp://gate/1"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[camera]\nsorce = 'x'\n", ["watch.toml, line 2", "camera.sorce", "did you mean 'source'?"]),
        ("\n[trackin]\n", ["line 2", "'trackin'", "did you mean 'tracking'?"]),
        ("zzz = 1\n", ["'zzz'", "known are camera, models"]),
        ("[web]\nport = 'high'\n", ["line 2", "web.port should be a valid integer", "'high'"]),
        ("[web]\nport = 70000\n", ["line 2", "less than or equal to 65535"]),
        ("[camera]\nkind = 'film'\n", ["line 2", "'files', 'opencv' or 'pi'", "'film'"]),
        ("[camera\n", ["line 1", "not valid TOML"]),
        ("a = 1\nb = = 2\n", ["line 2", "not valid TOML"]),
        ("[web]\nhost = '0.0.0.0'\n", ["web.password_hash is empty"]),
        ("[country]\ncode = 'GB'\n", ["line 2", "country.code", "'GB'", "did you mean 'gb'?"]),
        ("[country]\ncode = 'germany'\n", ["country.code", "did you mean 'de' (Germany)?"]),
        ("[country]\ncode = ['auto', 'de']\n", ["country.code", "stand alone"]),
        ("[country]\ncode = 7\n", ["country.code", "string", "7"]),
        ("[lists]\ntime_zone = 'Mars'\n", ["line 2", "'Mars' is not known"]),
    ],
)
def test_a_bad_file_is_one_sentence_that_names_the_place_and_the_mend(tmp_path: Path, text: str, parts: list[str]) -> None:
    """File, line, key and what was expected."""
    said = complaint(tmp_path, text)
    assert [part for part in parts if part not in said] == []
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "code"),
    [('"gb"', "gb"), ('"de,fr"', "de,fr"), ('["de", "us-ca"]', "de,us-ca"), ('"none"', "none"), ('""', "none"), ("[]", "none"), ('"auto"', "auto")],
)
def test_countries_are_one_or_many(tmp_path: Path, text: str, code: str) -> None:
    """A code, several with commas or as a list, regions among them, all or none."""
    assert load(written(tmp_path, f"[country]\ncode = {text}\n")).country.code == code


def test_the_files_of_lists_and_gate_start_at_the_config(tmp_path: Path) -> None:
    """An address is no path; the unread pictures have no folder of their own unless one is named."""
    config = load(written(tmp_path, '[lists]\nallow = ["a.csv"]\n[gate]\nsecond_factor = "home"\n[unread]\ndirectory = "out"\n'))
    assert (config.lists.allow, config.gate.second_factor) == ([str(tmp_path / "a.csv")], str(tmp_path / "home"))
    assert (config.gate.audit, config.unread.directory) == (str(tmp_path / "var/gate.sqlite"), str(tmp_path / "out"))
    assert load(written(tmp_path, '[gate]\nsecond_factor = "http://x/y"\n')).gate.second_factor == "http://x/y"
    assert load(written(tmp_path, "")).unread.directory == ""


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """No traceback for a typing error in --config."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load(tmp_path / "nowhere.toml")


def test_a_page_for_others_is_allowed_with_a_password(tmp_path: Path) -> None:
    """The refusal is about the missing password, not about the address."""
    assert load(written(tmp_path, "[web]\nhost = '0.0.0.0'\npassword_hash = 'x'\n")).web.host == "0.0.0.0"


def test_every_key_has_its_row_and_its_description() -> None:
    """The README's table is made of these."""
    rows = table().splitlines()[2:]
    keys = [f"`{section}.{key}`" for section, kind in sections().items() for key in kind.model_fields]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == keys
    assert all(len(row.split(" | ")[3]) > 10 for row in rows)


def test_the_camera_kinds_are_those_of_the_table() -> None:
    """A kind that the config takes can be built, and the other way round."""
    assert set(KINDS) == set(CameraConfig.model_fields["kind"].annotation.__args__)  # type: ignore[union-attr]
