"""Release archives: the same bytes each time, and every other spelling refused in words."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile

import pytest

from deploy.cli import main
from deploy.onboard import tarball
from deploy.release import archive, making, pyz, wheels
from deploy.release.errors import ReleaseError
from deploy.release.source import Source
from deploy.release.wheelhouse import Wheelhouse
from tests.releases import COMMIT, SERIAL, member, release, wheel

END = bytes(1024)


@pytest.fixture
def made(tmp_path):
    return release(tmp_path)


def again(path, *, text=None, members=None, end=END, **changed):
    """The archive with a changed release.json (consistent with itself) or changed members; raw bytes."""
    raw = path.read_bytes()
    size = int(raw[124:135], 8)
    about = json.loads(raw[512 : 512 + size]) | changed
    spelt = (json.dumps(about, indent=1, sort_keys=True) + "\n").encode() if text is None else text
    rest = raw[512 + -(-size // 512) * 512 : -1024] if members is None else members
    return member("release.json", spelt) + rest + end


def refusal(path, raw):
    path.write_bytes(raw)
    with pytest.raises(ReleaseError) as caught:
        archive.inspect(path)
    return str(caught.value)


def test_two_builds_are_the_same_bytes(tmp_path):
    first, second = release(tmp_path / "a").read_bytes(), release(tmp_path / "b").read_bytes()
    assert first == second


def test_neither_times_nor_rights_of_the_parts_matter(tmp_path, made):
    before = made.read_bytes()
    for path in (tmp_path / "parts").iterdir():
        os.utime(path, (1, 1))
        path.chmod(0o700)
    files = {f"wheels/{path.name}": path for path in reversed(sorted((tmp_path / "parts").iterdir()))}
    files = {"units/platewatch.service": b"[Service]\n", "onboard.pyz": b"#!/usr/bin/env python3\n"} | files
    after = archive.build(tmp_path, files, version="0.1.0", serial=SERIAL, commit=COMMIT, pythons=("3.11", "3.13"))
    assert (after, after.read_bytes()) == (made, before)


def test_it_is_a_plain_tar_that_any_tar_unpacks(made, tmp_path):
    (tmp_path / "x").mkdir()
    subprocess.run(["tar", "-xf", made, "-C", tmp_path / "x"], check=True)
    about = tarball.check(made)
    for name, file in about.files.items():
        assert hashlib.sha256((tmp_path / "x" / name).read_bytes()).hexdigest() == file.sha256
    with tarfile.open(made) as packed:
        assert packed.getnames() == ["release.json", *sorted(about.files)]
        assert {(one.uid, one.gid, one.uname, one.gname, one.mtime, one.mode) for one in packed} == {(0, 0, "", "", SERIAL, 0o644)}


@pytest.mark.parametrize("length", [11, 100, 101, 107])
def test_long_names_of_wheels_are_read_by_any_tar(length):
    """manylinux wheels of several platforms reach beyond the hundred bytes of a tar's first field."""
    name = "wheels/" + "w" * (length - 11) + ".whl"
    read = tarfile.TarInfo.frombuf(tarball.header(name, 7, SERIAL), "ascii", "strict")
    assert (read.name, read.size, read.mtime, read.mode, read.isreg()) == (name, 7, SERIAL, 0o644, True)
    with pytest.raises(ValueError, match="too long"):
        tarball.header("wheels/" + "w" * 101, 7, SERIAL)


def test_what_it_is_can_be_read_from_it(made):
    found = archive.inspect(made)
    assert (found.id, made.name) == (f"0.1.0-202609211413-{COMMIT[:8]}", f"platewatch-{found.id}.tar")
    assert (found.kind, found.machine, found.pythons, found.size) == ("release", "aarch64", ("3.11", "3.13"), made.stat().st_size)


def test_a_part_that_changes_while_it_is_packed_leaves_no_archive(tmp_path, monkeypatch):
    real = tarball.header
    (tmp_path / "m").write_bytes(b"long enough")
    monkeypatch.setattr(tarball, "header", lambda *words: (tmp_path / "m").write_bytes(b"other words") and real(*words))
    with pytest.raises(ReleaseError, match="changed"):
        archive.build(tmp_path / "out", {"bundle/model.tflite": tmp_path / "m"}, version="d", serial=SERIAL, commit=COMMIT, model="detector")
    assert list((tmp_path / "out").iterdir()) == []


STRANGERS = {
    "a name that leads out": member("../../etc/passwd", b"x"),
    "an absolute name": member("/etc/passwd", b"x"),
    "a symbolic link": member("wheels/x.whl", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a hard link": member("wheels/x.whl", type=tarfile.LNKTYPE, linkname="release.json"),
    "a device": member("wheels/x.whl", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    "a named pipe": member("wheels/x.whl", type=tarfile.FIFOTYPE),
    "a folder": member("wheels", type=tarfile.DIRTYPE),
    "one more file": member("wheels/x.whl", b"x"),
    "release.json once more": member("release.json", b"{}"),
    "a pax header": member("x", b"20 path=wheels/a.whl", type=tarfile.XHDTYPE),
    "a long name of GNU's": member("././@LongLink", b"wheels/a.whl\0", type=tarfile.GNUTYPE_LONGNAME),
    "noise": b"\x01" * 512,
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("place", ["before", "after", "beyond"])
def test_a_member_that_release_json_does_not_name_is_refused(made, stranger, place):
    raw = made.read_bytes()
    start = 512 + -(-int(raw[124:135], 8) // 512) * 512
    changed = {"before": raw[:start] + stranger + raw[start:], "after": raw[:-1024] + stranger + END, "beyond": raw + stranger}[place]
    said = refusal(made, changed)
    assert said.startswith(made.name)
    assert "\n" not in said


def test_the_sentence_names_what_was_found(made):
    raw = made.read_bytes()
    said = refusal(made, raw[:-1024] + STRANGERS["a symbolic link"] + END)
    assert "a symbolic link 'wheels/x.whl'" in said
    said = refusal(made, again(made, members=STRANGERS["a name that leads out"]))
    assert "'../../etc/passwd'" in said


OUTSIDE = ("../x.whl", "/x.whl", "wheels/../x.whl", "wheels//x.whl", "wheels/.x.whl", "wheels/x.whl/", "wheels/a\nb.whl", "wheels/-x.whl", "etc/passwd")


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_that_no_release_has_is_refused_even_if_release_json_names_it(made, name):
    file = {"sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}
    assert "is no name for a file of a release" in refusal(made, again(made, members=member(name, b"x"), files={name: file}))


@pytest.mark.parametrize(
    "about",
    [{"mode": 0o4755}, {"uid": 1}, {"gid": 1}, {"uname": "root"}, {"mtime": SERIAL + 1}, {"size": 2}, {"type": b"7"}, {"linkname": "x"}, {"gname": "root"}],
    ids=str,
)
def test_a_header_that_says_anything_else_is_refused(made, about):
    file = {"sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}
    changed = again(made, members=member("wheels/x.whl", b"x") + member("wheels/y.whl", b"y"), files={"wheels/x.whl": file})
    assert "does not name" in refusal(made, changed)  # as it stands, but for one file too many
    assert "must stand" in refusal(made, again(made, members=member("wheels/x.whl", b"x", **about), files={"wheels/x.whl": file}))


CHANGES = {
    "unknown format": ({"format": 2}, "format 2"),
    "format as a truth": ({"format": True}, "format True"),
    "unknown kind": ({"kind": "firmware"}, "kind firmware"),
    "id of another": ({"id": "9.9.9-202609211413-01234567"}, "id does not follow"),
    "version that leads out": ({"version": "../../x"}, "version"),
    "no time": ({"serial": "now"}, "serial"),
    "a time before all": ({"serial": -1}, "serial"),
    "a truth for a time": ({"serial": True}, "serial"),
    "a time after all": ({"serial": 1 << 60}, "serial"),
    "short commit": ({"commit": "0123"}, "commit"),
    "machine": ({"machine": "x; rm"}, "machine"),
    "pythons": ({"pythons": ["3.x"]}, "pythons"),
    "no files": ({"files": {}}, "files"),
    "files as a list": ({"files": []}, "release.json is wrong"),
    "one key more": ({"extra": 1}, "extra"),
    "a model in a release": ({"model": "reader"}, "model"),
    "too large a file": ({"files": {"onboard.pyz": {"sha256": "0" * 64, "size": 1 << 40}}}, "size"),
    "a negative size": ({"files": {"onboard.pyz": {"sha256": "0" * 64, "size": -1}}}, "size"),
    "many large files": ({"files": {f"wheels/{i}.whl": {"sha256": "0" * 64, "size": 500 << 20} for i in range(9)}}, "too large"),
    "a hash that is none": ({"files": {"onboard.pyz": {"sha256": "x" * 64, "size": 1}}}, "hash"),
}


@pytest.mark.parametrize(("changed", "words"), CHANGES.values(), ids=CHANGES)
def test_a_release_json_that_says_what_none_says_is_refused(made, changed, words):
    assert words in refusal(made, again(made, **changed))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{}", "format None"),
        (b"[" * 100_000, "no JSON"),
        (b"\xff", "no JSON"),
        (b'{"format": 1, "format": 1}', "no JSON"),
        (b"[]", "format none"),
        (b'{"format": 1}', "wrong"),
    ],
)
def test_a_release_json_that_is_none_is_refused(made, text, words):
    assert words in refusal(made, again(made, text=text))


def test_another_spelling_of_the_same_release_json_is_refused(made):
    """One release, one archive: nothing can hide between the lines."""
    raw = made.read_bytes()
    about = json.loads(raw[512 : 512 + int(raw[124:135], 8)])
    assert "not spelt" in refusal(made, again(made, text=json.dumps(about).encode()))


def test_contents_that_differ_are_named(made):
    raw = made.read_bytes()
    assert "units/platewatch.service in it was changed" in refusal(made, raw.replace(b"[Service]", b"[Sirvice]"))


def test_a_truncated_archive_is_refused_wherever_it_ends(made):
    raw = made.read_bytes()
    for end in (*range(0, len(raw), 512), len(raw) - 1, 700):
        said = refusal(made, raw[:end])
        assert "cut off" in said or "does not begin" in said


def test_what_is_no_release_is_named(made, tmp_path):
    for raw in (b"PK\x03\x04" + bytes(600), b"hello", member("other.json", b"{}") + END, bytes(4096), b"\x1f\x8b" + bytes(4000)):
        assert any(words in refusal(made, raw) for words in ("no release of Platewatch", "cut off"))
    for path in (tmp_path / "none.tar", tmp_path):
        with pytest.raises(ReleaseError, match="cannot be read"):
            archive.inspect(path)


def test_an_archive_that_lacks_what_a_device_needs_is_named(tmp_path):
    path = archive.build(tmp_path, {"units/a.service": b"x"}, version="1", serial=SERIAL, commit=COMMIT)
    with pytest.raises(ReleaseError, match=r"pip .*platewatch .*onboard\.pyz, the Pythons"):
        archive.inspect(path)


def test_an_archive_can_be_read_from_a_pipe(made):
    """As an update that comes over SSH: front to back, in whatever pieces."""

    class Drop(io.RawIOBase):
        source = io.BytesIO(made.read_bytes())

        def read(self, size=-1):
            return self.source.read(min(size, 100))

    assert [name for _, name, contents in tarball.members(Drop(), "-") if list(contents) or True] == sorted(tarball.check(made).files)


def test_a_bundle_is_an_archive_of_its_own_kind(tmp_path):
    bundle = tmp_path / "reader"
    bundle.mkdir()
    (bundle / "model.tflite").write_bytes(b"TFL3 network")
    about = {"name": "reader-1", "kind": "reader", "sha256": hashlib.sha256(b"TFL3 network").hexdigest()}
    (bundle / "manifest.json").write_text(json.dumps(about))
    found = archive.inspect(making.bundle(bundle, tmp_path / "out"))
    assert (found.kind, found.model, sorted(found.files)) == ("bundle", "reader", ["bundle/manifest.json", "bundle/model.tflite"])
    (bundle / "model.tflite").write_bytes(b"TFL3 another")
    with pytest.raises(ReleaseError, match="hash differs"):
        making.bundle(bundle, tmp_path / "out")


def test_onboard_pyz_is_the_same_each_time_and_runs_alone(tmp_path):
    """On a Python without any package, isolated from this tree."""
    first, second = pyz.packed(pyz.SOURCE), pyz.packed(pyz.SOURCE)
    assert first == second
    path = pyz.build(tmp_path / "onboard.pyz")
    done = subprocess.run([os.path.realpath("/proc/self/exe"), "-I", "-S", path, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "install" in done.stdout, done.stderr) == (0, True, "")
    assert all(one.date_time == (1980, 1, 1, 0, 0, 0) for one in zipfile.ZipFile(path).infolist())


def test_a_tree_without_onboard_makes_no_pyz(tmp_path):
    with pytest.raises(ReleaseError, match=r"holds no __main__\.py"):
        pyz.packed(tmp_path)


def test_the_release_command_signs_inspects_and_verifies(made, tmp_path, capsys):
    assert main(["keys", "new", str(tmp_path / "k")]) == 0
    assert main(["release", "sign", str(made), "--key", str(tmp_path / "k.key")]) == 0
    assert main(["release", "verify", str(made), "--trusted", str(tmp_path / "k.pub")]) == 0
    assert "trusted comment: platewatch release 0.1.0-" in capsys.readouterr().out
    assert main(["release", "inspect", str(made), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == "0.1.0"
    made.write_bytes(made.read_bytes()[:-1])
    assert main(["release", "verify", str(made), "--trusted", str(tmp_path / "k.pub")]) == 1
    assert main(["release", "inspect", str(made)]) == 1
    assert main(["release", "sign", str(made), "--key", str(tmp_path / "k.key")]) == 1
    assert [line.startswith("deploy: platewatch-0.1.0") for line in capsys.readouterr().err.splitlines()] == [True] * 3


def test_a_release_is_made_of_wheels_units_and_the_updater(tmp_path):
    """Twice the same bytes, from sources of which nothing but the wheel is built."""
    parts = [wheels.read(wheel(tmp_path / "house", name, "0.1.0")) for name in ("pip", "platewatch", "numpy")]
    house = Wheelhouse(tmp_path / "house", {"3.11": tuple(parts), "3.13": tuple(parts[:2])}, {})
    tree = Source(pyz.SOURCE, "0.1.0", SERIAL, COMMIT, (), ())
    first, second = (making.application(tree, house, tmp_path / name) for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    found = archive.inspect(first)
    assert {name for name in found.files if name.startswith("wheels/")} == {f"wheels/{one.path.name}" for one in parts}
    assert {"units/platewatch.service", "units/platewatch-web.service", "onboard.pyz"} <= set(found.files)
    with tarfile.open(first) as packed:
        unit = packed.extractfile("units/platewatch.service").read()
    assert b"/opt/platewatch/current/.venv/bin/python" in unit


def test_the_updater_imports_nothing_but_pythons_own_library():
    """It runs before anything is installed; not even inside a function."""
    files = sorted((pyz.SOURCE / "deploy" / "onboard").rglob("*.py"))
    nodes = [(path.name, node) for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    names = [(file, alias.name) for file, node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [(file, f"{node.module}") for file, node in nodes if isinstance(node, ast.ImportFrom)]
    assert len(names) > 20
    assert [(file, name) for file, name in names if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("deploy.onboard")] == []


@pytest.mark.parametrize("serial", [4_080_000_000, 8_000_000_000])
def test_a_release_from_the_future_is_not_made(tmp_path, serial):
    """A device that has taken one refuses all that follow as older: a builder whose clock is wrong would lock itself out of every device."""
    with pytest.raises(ReleaseError, match=r"it would be dated 2\d\d\d-.*set the clock that is wrong"):
        archive.build(tmp_path, {"bundle/manifest.json": b"{}", "bundle/model.tflite": b"m"}, version="1", serial=serial, commit=COMMIT, model="reader")
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_of_nothing_but_brackets_is_no_bundle(tmp_path):
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    (tmp_path / "model.tflite").write_bytes(b"m")
    with pytest.raises(ReleaseError, match="is no bundle"):
        making.bundle(tmp_path, tmp_path / "out")
