"""The offline set of wheels: complete by two witnesses, and whatever is missing or wrong is named. pip is the real one, the wheels are tiny."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from deploy.cli import main
from deploy.release import licences, own, pins, pip, source, wheelhouse, wheels
from deploy.release.closure import close
from deploy.release.errors import ReleaseError
from deploy.release.source import Source
from tests.releases import wheel

ROOT = Path(__file__).parents[2]
P311, P313 = wheels.target("3.11"), wheels.target("3.13")


def quiet(_):
    """Progress that nobody looks at."""


def closed(folder, roots=("app",), target=P313):
    return close(wheels.read_all(folder), roots, target)


def names(closure):
    return [f"{one.name} {one.version}" for one in closure.chosen]


# The walk from need to need


def test_the_newest_that_all_allow_is_chosen(tmp_path):
    """A later need may rule an earlier choice out, and what only that choice needed goes with it."""
    wheel(tmp_path, "app", "1", requires=("lib", "other"))
    wheel(tmp_path, "lib", "2.0", requires=("only-two",))
    wheel(tmp_path, "lib", "1.0")
    wheel(tmp_path, "other", "1", requires=("lib<2",))
    assert names(closed(tmp_path)) == ["app 1", "lib 1.0", "other 1"]
    assert closed(tmp_path).missing == ()


def test_what_is_missing_is_named_with_who_needs_it(tmp_path):
    wheel(tmp_path, "app", "1", requires=("lib>=2,<3",))
    wheel(tmp_path, "lib", "1.0")
    assert closed(tmp_path).sentence == "lib<3,>=2 is missing, which app 1 needs"
    assert closed(tmp_path, ("nothing",)).sentence == "nothing is missing, which the release needs"


def test_markers_are_the_devices_and_not_this_machines(tmp_path):
    wheel(tmp_path, "app", "1", requires=('a; python_version < "3.12"', 'b; platform_machine == "aarch64"', 'c; sys_platform == "win32"', 'd; extra == "all"'))
    for name in "abcd":
        wheel(tmp_path, name, "1")
    assert names(closed(tmp_path, target=P311)) == ["a 1", "app 1", "b 1"]
    assert names(closed(tmp_path, target=P313)) == ["app 1", "b 1"]
    assert names(closed(tmp_path, ("app[all]",), P313)) == ["app 1", "b 1", "d 1"]


@pytest.mark.parametrize(
    ("tag", "takers"),
    [
        ("py3-none-any", "3.11 3.13"),
        ("cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64", "3.11"),
        ("cp313-cp313-manylinux_2_28_aarch64", "3.13"),
        ("cp37-abi3-manylinux_2_27_aarch64", "3.11 3.13"),
        ("cp312-abi3-manylinux_2_17_aarch64", "3.13"),
        ("cp311-cp311-manylinux_2_36_aarch64", "3.11"),
        ("cp311-cp311-manylinux_2_39_aarch64", ""),
        ("cp37-abi3-manylinux_2_39_aarch64", "3.13"),
        ("cp313-cp313t-manylinux_2_28_aarch64", ""),
        ("cp313-cp313-manylinux_2_28_x86_64", ""),
        ("cp313-cp313-musllinux_1_2_aarch64", ""),
        ("cp313-cp313-manylinux_2_28_armv7l", ""),
        ("py2-none-any", ""),
    ],
)
def test_a_wheel_is_taken_where_it_runs(tmp_path, tag, takers):
    """Bookworm has glibc 2.36, Trixie 2.41."""
    found = wheels.read(wheel(tmp_path, "x", "1", tag=tag))
    assert " ".join(target.python for target in (P311, P313) if target.takes(found)) == takers


def test_requires_python_counts(tmp_path):
    found = wheels.read(wheel(tmp_path, "x", "1", python=">=3.12"))
    assert (P311.takes(found), P313.takes(found)) == (False, True)


def test_a_python_that_no_system_brings_is_refused():
    with pytest.raises(ReleaseError, match=r"3\.12: no Raspberry Pi OS .* Bookworm"):
        wheels.target("3.12")


def test_pips_own_copy_of_packaging_serves_where_there_is_no_other(monkeypatch):
    """The runtime dependencies do not bring it; without pip, too, one sentence says so."""
    monkeypatch.setitem(sys.modules, "packaging.tags", None)
    assert wheels.packaging.__wrapped__("tags").__name__ == "pip._vendor.packaging.tags"
    monkeypatch.setitem(sys.modules, "pip._vendor.packaging.tags", None)
    with pytest.raises(ReleaseError, match="has no pip"):
        wheels.packaging.__wrapped__("tags")


# Single wheels


def test_damaged_and_renamed_wheels_are_named(tmp_path):
    path = wheel(tmp_path, "x", "1")
    raw = path.read_bytes()
    for changed, words in ((raw[:-30], "damaged"), (b"", "damaged"), (raw.replace(b"METADATA", b"METABATA"), "no METADATA")):
        path.write_bytes(changed)
        with pytest.raises(ReleaseError, match=rf"x-1-py3-none-any\.whl: .*{words}"):
            wheels.read(path)
    path.write_bytes(raw)
    with pytest.raises(ReleaseError, match="holds x 1"):
        wheels.read(path.rename(tmp_path / "y-1-py3-none-any.whl"))
    with pytest.raises(ReleaseError, match="damaged or no wheel"):
        wheels.read(path.with_name("what.whl"))


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: long text", "MIT OR Apache-2.0"),
        ("License: BSD\n text\nClassifier: License :: OSI Approved :: BSD License", "BSD License"),
        ("License: Apache 2.0", "Apache 2.0"),
        ("Summary: x", "not stated"),
    ],
)
def test_the_licence_is_what_the_wheel_states(tmp_path, lines, licence):
    path = tmp_path / "x-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("x-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: x\nVersion: 1\n{lines}\n\n")
    assert wheels.read(path).licence == licence


@pytest.mark.parametrize(
    ("stated", "good"),
    [
        ("MIT", True),
        ("mit", True),
        ("Apache License, Version 2.0", True),
        ("MIT License, Apache Software License", True),
        ("MIT License, GNU General Public License v3 (GPLv3)", False),
        ("EPL-2.0 OR BSD-3-Clause", True),
        ("EPL-2.0 AND BSD-3-Clause", False),
        ("MIT OR GPL-3.0-only AND LGPL-2.1-only", True),
        ("(MIT OR GPL-3.0-only) AND LGPL-2.1-only", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", False),
        ("((MIT))", True),
        ("MPL-2.0 AND MIT", False),
        ("OSI Approved", False),
        ("not stated", False),
        ("", False),
        ("MIT AND", False),
        ("(MIT", False),
        ("MIT)", False),
        ("MIT MIT", False),
        ("OR MIT", False),
    ],
)
def test_a_licence_is_permissive_or_not(stated, good):
    assert licences.passes("x", stated) is good


@pytest.mark.parametrize("project", licences.PASSED)
def test_what_was_looked_at_by_itself_goes_along_with_the_words_it_had_and_no_others(project):
    words, why = licences.PASSED[project]
    assert why
    assert licences.passes(project, words)
    assert not licences.passes(project, f"{words} AND GPL-3.0-only")
    assert not licences.passes("another", words)


def test_every_name_in_the_tables_is_one_of_spdx():
    spdx = pytest.importorskip("packaging.licenses", reason="packaging knows no licences yet")
    for name in (*licences.PERMISSIVE, *licences.SPELT.values(), *(words for words, _ in licences.PASSED.values())):
        assert spdx.canonicalize_license_expression(name) == name
    assert set(licences.SPELT.values()) <= licences.PERMISSIVE


def test_the_texts_that_a_wheel_carries_are_told_by_name(tmp_path):
    path = tmp_path / "x-1-py3-none-any.whl"
    inside = ["METADATA", "LICENSE", "licenses/LICENCE.md", "licenses/sub/COPYING", "sboms/licences.json/x", "RECORD"]
    with zipfile.ZipFile(path, "w") as packed:
        for name in inside:
            packed.writestr(f"x-1.dist-info/{name}", "Metadata-Version: 2.1\nName: x\nVersion: 1\n\n")
        packed.writestr("x/LICENSE", "")
    assert wheels.read(path).texts == tuple(f"x-1.dist-info/{name}" for name in ("LICENSE", "licenses/LICENCE.md", "licenses/sub/COPYING"))


# The whole of it


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A folder that stands for the package index, and a source whose own wheel is tiny. Returns (shop, source)."""
    folder = tmp_path / "shop"
    wheel(folder, "pip", "25.0")
    wheel(folder, "lib", "1.0", tag="cp311-cp311-manylinux_2_17_aarch64", requires=('on-arm; platform_machine == "aarch64"',))
    wheel(folder, "lib", "1.1", tag="cp313-cp313-manylinux_2_28_aarch64", requires=("pure",))
    wheel(folder, "lib", "9.0", tag="cp313-cp313-manylinux_2_28_x86_64")
    wheel(folder, "pure", "1.0", licence="BSD-3-Clause")
    wheel(folder, "on-arm", "1.0")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    made = Source(tmp_path / "tree", "0.1.0", 1_790_000_000, "0" * 40, ("lib>=1",), ("setuptools>=77",))

    def build(source, house, _):
        return wheels.read(wheel(house, "platewatch", "0.1.0", requires=source.requirements))

    monkeypatch.setattr(own, "build", build)
    wheel(folder, "setuptools", "80.0")
    return folder, made


def test_a_set_is_fetched_proven_recorded_and_whole_without_network(shop, tmp_path, monkeypatch):
    """Both Pythons in one folder, each with its own; the need that only an ARM has is found, though pip asked the machine that it ran on."""
    out = tmp_path / "house"
    made = wheelhouse.make(shop[1], ["3.11", "3.13"], out, quiet)
    assert {python: [f"{one.name} {one.version}" for one in chosen] for python, chosen in made.sets.items()} == {
        "3.11": ["lib 1.0", "on-arm 1.0", "pip 25.0", "platewatch 0.1.0"],
        "3.13": ["lib 1.1", "pip 25.0", "platewatch 0.1.0", "pure 1.0"],
    }
    record = json.loads((out / wheelhouse.RECORD).read_text())
    assert record["wheels"]["pure-1.0-py3-none-any.whl"]["licence"] == "BSD-3-Clause"
    assert record["wheels"]["pure-1.0-py3-none-any.whl"]["texts"] == []
    assert {name: about["sha256"] for name, about in record["wheels"].items()} == {one.path.name: one.sha256 for one in made.wheels}
    monkeypatch.setattr(wheelhouse.pip, "download", lambda *_: pytest.fail("asked for the network"))
    assert wheelhouse.make(shop[1], ["3.13"], out, quiet).sets["3.13"] == made.sets["3.13"]
    pure = out / "pure-1.0-py3-none-any.whl"
    pure.unlink()
    with pytest.raises(ReleaseError, match=r"3\.13 is not complete: pure is missing, which lib 1\.1 needs; run once with a network"):
        wheelhouse.make(shop[1], ["3.13"], out, quiet, offline=True)


def test_a_wheel_that_changed_or_broke_is_named_and_fetched_again(shop, tmp_path, monkeypatch):
    """Stopped in the middle of a copy, or altered on the disk."""
    monkeypatch.setattr(wheelhouse, "prove", lambda *_: None)  # is tested by itself, and takes its time
    out = tmp_path / "house"
    made = wheelhouse.make(shop[1], ["3.13"], out, quiet)
    other = wheel(tmp_path / "other", "pure", "1.0", licence="Forged").read_bytes()
    for changed in (other, other[:-40]):
        (out / "pure-1.0-py3-none-any.whl").write_bytes(changed)
        with pytest.raises(ReleaseError, match=r"pure-1\.0-py3-none-any\.whl: (was changed|is damaged)"):
            wheelhouse.make(shop[1], ["3.13"], out, quiet, offline=True)
        said = []
        assert wheelhouse.make(shop[1], ["3.13"], out, said.append) == made
        assert any(words.startswith("pure-1.0-py3-none-any.whl: ") for words in said)


def test_the_same_set_can_be_made_again_when_newer_wheels_are_there(shop, tmp_path, monkeypatch):
    """From the record of the earlier one, in another folder: same files, same tools; nothing else is taken in their place."""
    monkeypatch.setattr(wheelhouse, "prove", lambda *_: None)
    first = wheelhouse.make(shop[1], ["3.13"], tmp_path / "a", quiet)
    for name in ("pip", "setuptools"):
        wheel(shop[0], name, "99.0")
    wheel(shop[0], "lib", "1.2", tag="cp313-cp313-manylinux_2_28_aarch64")
    like = tmp_path / "a" / wheelhouse.RECORD
    second = wheelhouse.make(shop[1], ["3.13"], tmp_path / "b", quiet, like=like)
    assert sorted((one.path.name, one.sha256) for one in second.wheels) == sorted((one.path.name, one.sha256) for one in first.wheels)
    assert (tmp_path / "b" / wheelhouse.RECORD).read_text() == like.read_text()
    assert second.tools == first.tools == {"setuptools-80.0-py3-none-any.whl": wheels.sha256(shop[0] / "setuptools-80.0-py3-none-any.whl")}
    with pytest.raises(ReleaseError, match=r"3\.11: the earlier release was not made for it, but for 3\.13"):
        wheelhouse.make(shop[1], ["3.11"], tmp_path / "b", quiet, like=like)
    wheel(shop[0], "pure", "1.0", licence="Forged")
    with pytest.raises(ReleaseError, match="offered with other contents"):
        wheelhouse.make(shop[1], ["3.13"], tmp_path / "c", quiet, like=like)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "wheels": {"../x-1-py3-none-any.whl": {"sha256": "0"}}, "pythons": {}, "tools": {}}']
)
def test_a_record_that_is_none_is_named(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ReleaseError, match=r"r\.json: is no record of a wheelhouse"):
        pins.read(tmp_path / "r.json")


def test_contents_that_are_not_the_wheels_own_record_are_named(shop, tmp_path):
    path = shop[0] / "pure-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    with zipfile.ZipFile(path, "w") as packed:
        for name, raw in files.items():
            packed.writestr(name, b"evil\n" if name == "pure.py" else raw)
    with pytest.raises(ReleaseError, match=r"pure\.py in it is not what its RECORD states"):
        wheelhouse.make(shop[1], ["3.13"], tmp_path / "house", quiet)


def test_a_wheel_whose_licence_is_not_permissive_ends_the_build_before_anything_is_recorded(shop, tmp_path):
    wheel(shop[0], "pure", "1.0", licence="GPL-3.0-only")
    with pytest.raises(ReleaseError, match=r"^no permissive licence: pure-1\.0-py3-none-any\.whl \(GPL-3\.0-only\); use another package, or .*licences\.py$"):
        wheelhouse.make(shop[1], ["3.13"], tmp_path / "house", quiet)
    assert not (tmp_path / "house" / wheelhouse.RECORD).exists()


def test_a_wheel_that_nobody_offers_is_named(shop, tmp_path):
    (shop[0] / "pure-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ReleaseError, match=r"the wheels for Python 3\.13: there is no wheel of pure"):
        wheelhouse.make(shop[1], ["3.13"], tmp_path / "house", quiet)


def test_pip_is_the_second_witness(shop, tmp_path, monkeypatch):
    """A set that our own walk takes for whole and pip does not is refused, and the other way round."""
    made = wheelhouse.make(shop[1], ["3.13"], tmp_path / "house", quiet)
    roots, chosen = ["platewatch==0.1.0", "pip"], made.sets["3.13"]
    short = [one for one in chosen if one.name != "pure"]
    with pytest.raises(ReleaseError, match="pure is missing"):
        wheelhouse.prove(P313, roots, short)
    monkeypatch.setattr(wheelhouse, "close", lambda *_: close(chosen, roots, P313))
    with pytest.raises(ReleaseError, match="there is no wheel of pure"):
        wheelhouse.prove(P313, roots, short)
    monkeypatch.setattr(wheelhouse.pip, "resolve", lambda *_: {"pure": "2.0"})
    with pytest.raises(ReleaseError, match=r"pip would install another set .* pure"):
        wheelhouse.prove(P313, roots, chosen)


def test_a_pip_that_is_too_old_is_named_with_its_mend():
    """Debian 12's own judges a wheel's Requires-Python by the Python that it runs in."""
    said = pip._sentence(["ERROR: Package 'numpy' requires a different Python: 3.11.2 not in '>=3.12'"], "the wheels for Python 3.13")
    assert said.startswith("the wheels for Python 3.13: the pip of this environment is too old")
    assert "'pip>=24'" in said


def test_without_a_network_one_sentence_says_so_and_names_no_address(shop, tmp_path, monkeypatch, capsys):
    with socket.socket() as bound:  # never listens: whoever connects is refused
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        for name, value in {"PIP_INDEX_URL": f"http://{address}/", "NO_PROXY": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setattr("deploy.commands.wheelhouse.source_of", lambda _: __import__("contextlib").nullcontext(shop[1]))
        assert main(["wheelhouse", "--out", str(tmp_path / "house"), "--python", "3.13"]) == 1
    said = capsys.readouterr().err
    assert "no package index answered; look to the network" in said
    assert address not in said


def test_a_folder_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["wheelhouse", "--out", str(tmp_path / "file"), "--working-tree", "--offline"]) == 1
    assert capsys.readouterr().err == f"deploy: {tmp_path}/file: cannot be made (file exists)\n"


# Our own wheel


def tree(folder):
    for name, text in {"edge/a.py": "", "edge/bundles/m.tflite": "x", "edge/README.md": "", "deploy/b.py": "", "deploy/x.yml": "", "train/c.py": ""}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ({"edge/a.py": "", "edge/bundles/m.tflite": "x", "deploy/b.py": "", "train/c.py": "", "platewatch-1.dist-info/RECORD": ""}, []),
        ({"edge/a.py": "", "deploy/b.py": "", "train/c.py": ""}, ["edge/bundles/m.tflite is missing in it"]),
        ({"edge/a.py": "", "edge/bundles/m.tflite": "y", "deploy/b.py": "", "train/c.py": ""}, ["edge/bundles/m.tflite differs"]),
        (
            {"edge/a.py": "", "edge/bundles/m.tflite": "x", "deploy/b.py": "", "train/c.py": "", "edge/old.py": ""},
            ["edge/old.py is in it and not in the sources"],
        ),
        ({"edge/a.py": "", "edge/bundles/m.tflite": "x", "deploy/b.py": ""}, ["train/c.py is missing in it"]),
    ],
)
def test_our_wheel_is_compared_with_the_sources(tmp_path, inside, said):
    with zipfile.ZipFile(tmp_path / "w.whl", "w") as packed:
        for name, text in inside.items():
            packed.writestr(name, text)
    assert own.compare(tmp_path / "w.whl", tree(tmp_path / "tree")) == said


def test_pyproject_ships_every_file_that_the_device_needs():
    """Bundles, countries, templates, static files, catalogues, clips: each file below edge that is no Python is matched by package-data."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["edge"]
    shipped = {path for pattern in patterns for path in (ROOT / "edge").glob(pattern)}
    tracked = subprocess.run(["git", "ls-files", "-z", "edge"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split("\0")
    files = [ROOT / name for name in tracked if name and not name.endswith((".py", ".md"))] or [
        path for path in (ROOT / "edge").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc", ".md")
    ]
    assert len(files) > 100
    assert [path for path in files if path not in shipped and path.exists()] == []


def test_without_tools_our_wheel_is_not_built_and_they_are_named(tmp_path):
    made = Source(tmp_path, "0.1.0", 1, "0" * 40, (), ("setuptools>=77",))
    with pytest.raises(ReleaseError, match=r"setuptools>=77 is not there .* run once with a network"):
        own.tools(made, tmp_path, quiet, offline=True)


# The sources


@pytest.fixture
def repository(tmp_path):
    folder = tree(tmp_path / "repository")
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "platewatch"\nversion = "0.2.0"\ndependencies = ["lib>=1"]\n[build-system]\nrequires = ["setuptools>=77"]\n'
    )
    (folder / ".gitignore").write_text("*.log\n")
    run = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["git", "init", "-q"], **run)
    subprocess.run(["git", "add", "."], **run)
    times = {"GIT_AUTHOR_DATE": "@1790000000 +0000", "GIT_COMMITTER_DATE": "@1790000000 +0000", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "first"], env=times, **run)
    return folder


def test_a_release_is_made_of_what_was_committed(repository):
    """What lies in the tree besides, and the rights there, make no difference."""
    (repository / "edge/a.py").write_text("changed")
    (repository / "edge/new.py").write_text("new")
    with source.of_commit("HEAD", repository) as found:
        assert (found.version, found.serial, found.requirements, len(found.commit)) == ("0.2.0", 1_790_000_000, ("lib>=1",), 40)
        assert (found.tree / "edge/a.py").read_text() == ""
        assert not (found.tree / "edge/new.py").exists()
        assert {path.stat().st_mode & 0o777 for path in found.tree.rglob("*")} == {0o644, 0o755}


def test_a_working_tree_is_taken_as_it_lies_and_called_by_its_contents(repository):
    (repository / "edge/a.py").unlink()
    (repository / "edge/new.py").write_text("new")
    (repository / "edge/noise.log").write_text("noise")
    with source.of_working_tree(repository) as first, source.of_working_tree(repository) as second:
        assert (first.commit, first.serial) == (second.commit, second.serial)
        assert sorted(path.name for path in (first.tree / "edge").iterdir()) == ["README.md", "bundles", "new.py"]
    (repository / "edge/new.py").write_text("newer")
    with source.of_working_tree(repository) as third:
        assert third.commit != first.commit


@pytest.mark.parametrize("revision", ["nosuch", "--all", "HEAD:edge"])
def test_a_commit_that_is_none_is_named(repository, revision):
    with pytest.raises(ReleaseError, match=rf"{revision}: is no commit"), source.of_commit(revision, repository):
        pass


def test_what_is_no_repository_is_named(tmp_path):
    with pytest.raises(ReleaseError, match=r"git says: .*not a git repository"), source.of_commit("HEAD", tmp_path):
        pass
