"""Signing here, checking as the device does, and Debian's minisign as the witness of both."""

from __future__ import annotations

import base64
import codecs
import os
import random
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy import keys
from deploy.cli import main
from deploy.onboard import signature
from deploy.onboard.errors import OnboardError
from deploy.release import minisign
from deploy.release.errors import ReleaseError

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed; every Raspberry Pi OS has it")
with_minisign = pytest.mark.skipif(shutil.which("minisign") is None, reason="minisign is not installed; apt-get install minisign")
COMMENT = "platewatch release 0.1.0-202609211232-01234567"


@pytest.fixture
def signed(tmp_path):
    """(archive, public key file); the secret half lies beside it."""
    archive = tmp_path / "a.tar"
    archive.write_bytes(b"wheels and more" * 1000)
    minisign.make_key(tmp_path / "k.key", tmp_path / "k.pub")
    minisign.sign(archive, tmp_path / "k.key", COMMENT)
    return archive, tmp_path / "k.pub"


def test_what_was_signed_is_verified_and_its_comment_returned(signed):
    assert signature.verify(signed[0], minisign.beside(signed[0]), signed[1]) == COMMENT


def test_a_signature_is_the_same_each_time(signed):
    """Ed25519 takes no chance, so that a release can be made again bit for bit."""
    before = minisign.beside(signed[0]).read_bytes()
    minisign.sign(signed[0], signed[1].with_suffix(".key"), COMMENT)
    assert minisign.beside(signed[0]).read_bytes() == before


@with_minisign
def test_minisign_accepts_ours(signed):
    said = subprocess.run(["minisign", "-V", "-H", "-m", signed[0], "-p", signed[1]], capture_output=True, text=True, check=False)
    assert (said.returncode, COMMENT in said.stdout) == (0, True)


@with_minisign
def test_we_accept_minisigns_and_refuse_its_old_kind(tmp_path):
    (tmp_path / "f").write_bytes(b"x" * 5000)
    minisigns = {"cwd": tmp_path, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["minisign", "-G", "-W", "-p", "k.pub", "-s", "k.sec"], **minisigns)
    subprocess.run(["minisign", "-S", "-s", "k.sec", "-m", "f", "-t", "what it says"], **minisigns)
    assert signature.verify(tmp_path / "f", tmp_path / "f.minisig", tmp_path / "k.pub") == "what it says"
    subprocess.run(["minisign", "-S", "-l", "-s", "k.sec", "-m", "f"], **minisigns)
    with pytest.raises(OnboardError, match="old kind"):
        signature.verify(tmp_path / "f", tmp_path / "f.minisig", tmp_path / "k.pub")


@with_minisign
def test_minisign_refuses_what_we_refuse(signed):
    """One changed byte of the archive, and the comment changed: both sides say no."""
    archive, public = signed
    text = minisign.beside(archive).read_text()

    def refused():
        theirs = subprocess.run(["minisign", "-V", "-m", archive, "-p", public], capture_output=True, check=False).returncode != 0
        with pytest.raises(OnboardError):
            signature.verify(archive, minisign.beside(archive), public)
        return theirs

    minisign.beside(archive).write_text(text.replace("0.1.0", "0.1.1"))
    assert refused()
    minisign.beside(archive).write_text(text)
    archive.write_bytes(archive.read_bytes()[:-1] + b"!")
    assert refused()


def test_a_changed_file_a_changed_comment_and_another_key_are_told_apart(signed, tmp_path):
    archive, public = signed
    beside, raw, text = minisign.beside(archive), archive.read_bytes(), minisign.beside(archive).read_text()
    minisign.make_key(tmp_path / "other.key", tmp_path / "other.pub")
    with pytest.raises(OnboardError, match="does not trust"):
        signature.verify(archive, beside, tmp_path / "other.pub")
    for changed in (raw[:-1], raw + b"x", raw.replace(b"wheels", b"Wheels", 1), b""):
        archive.write_bytes(changed)
        with pytest.raises(OnboardError, match="does not fit its signature"):
            signature.verify(archive, beside, public)
    archive.write_bytes(raw)
    beside.write_text(text.replace("release", "Release"))
    with pytest.raises(OnboardError, match="trusted comment of its signature was changed"):
        signature.verify(archive, beside, public)


def test_a_key_of_the_same_id_is_not_the_same_key(signed, tmp_path):
    """The id is only a hint: who forges it gets no further."""
    other = minisign.make_key(tmp_path / "other.key", tmp_path / "other.pub")
    forged = signature.PublicKey(keys.read_public(signed[1])[0].id, other.key)
    (tmp_path / "forged.pub").write_text(forged.line)
    with pytest.raises(OnboardError, match="does not fit its signature"):
        signature.verify(signed[0], minisign.beside(signed[0]), tmp_path / "forged.pub")


def test_one_of_several_trusted_keys_is_enough(signed, tmp_path):
    minisign.make_key(tmp_path / "other.key", tmp_path / "other.pub")
    both = tmp_path / "trusted.pub"
    both.write_text((tmp_path / "other.pub").read_text() + "\n# the one of before\r\n" + signed[1].read_text())
    assert signature.verify(signed[0], minisign.beside(signed[0]), both) == COMMENT


def test_any_changed_character_of_a_signature_is_refused_or_means_the_same(signed):
    """Twenty places by seed; only the untrusted comment may change unseen."""
    archive, public = signed
    beside, text = minisign.beside(archive), minisign.beside(archive).read_text()
    draw, start = random.Random(7), text.index("\n") + 1
    for at in draw.sample(range(start, len(text)), 20):
        other = draw.choice([char for char in "Aa0+/=\n \tZ" if char != text[at]])
        beside.write_text(text[:at] + other + text[at + 1 :])
        with pytest.raises(OnboardError):
            signature.verify(archive, beside, public)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "four lines"),
        ("hello\n", "four lines"),
        ("untrusted comment: x\nAAAA\ntrusted comment: y\nAAAA\n", "wrong length"),
        ("untrusted comment: x\n????\ntrusted comment: y\nAAAA\n", "not base64"),
        (f"untrusted comment: x\n{base64.b64encode(b'XX' + bytes(72)).decode()}\ntrusted comment: y\n{base64.b64encode(bytes(64)).decode()}\n", "method"),
        (f"untrusted comment: x\n{base64.b64encode(b'ED' + bytes(72)).decode()}\ntrusted comment: \x1b[2J\n{base64.b64encode(bytes(64)).decode()}\n", "shown"),
        ("x" * 20_000, "larger than"),
    ],
)
def test_what_is_no_signature_is_named(signed, text, words):
    minisign.beside(signed[0]).write_text(text)
    with pytest.raises(OnboardError, match=words):
        signature.verify(signed[0], minisign.beside(signed[0]), signed[1])


def test_missing_files_are_named(signed, tmp_path):
    for archive, beside, public in ((signed[0], tmp_path / "no", signed[1]), (signed[0], minisign.beside(signed[0]), tmp_path / "no")):
        with pytest.raises(OnboardError, match=r"no: .* cannot be found"):
            signature.verify(archive, beside, public)


def test_without_openssl_nothing_is_believed(signed, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OnboardError, match="openssl is not installed"):
        signature.verify(signed[0], minisign.beside(signed[0]), signed[1])


def test_an_openssl_that_only_says_yes_is_not_enough(signed, tmp_path, monkeypatch):
    """Exit code 0 without its words is no verdict, so that a broken or older program lets nothing in."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/openssl").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "bin/openssl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(OnboardError, match="cannot check"):
        signature.verify(signed[0], minisign.beside(signed[0]), signed[1])


def test_a_secret_key_is_its_owners_alone_and_never_overwritten(tmp_path):
    secret = tmp_path / "k.key"
    keys.make_key(secret, tmp_path / "k.pub")
    assert secret.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ReleaseError, match="never overwritten"):
        keys.make_key(secret, tmp_path / "new.pub")
    with pytest.raises(ReleaseError, match="never overwritten"):
        keys.make_key(tmp_path / "new.key", tmp_path / "k.pub")
    secret.chmod(0o644)
    with pytest.raises(ReleaseError, match="chmod 600"):
        keys.public_of(secret)


def test_a_passphrase_opens_its_key_and_no_other_does(tmp_path):
    made = keys.make_key(tmp_path / "k.key", tmp_path / "k.pub", "søt hemmelighet")
    assert keys.is_encrypted(tmp_path / "k.key")
    assert keys.public_of(tmp_path / "k.key", "søt hemmelighet") == made == keys.read_public(tmp_path / "k.pub")[0]
    with pytest.raises(ReleaseError, match="does not open"):
        keys.public_of(tmp_path / "k.key", "wrong")
    with pytest.raises(ReleaseError, match="none was given"):
        keys.public_of(tmp_path / "k.key")


def test_another_kind_of_key_is_named(tmp_path):
    subprocess.run(["openssl", "genpkey", "-algorithm", "x25519", "-out", tmp_path / "x.key"], check=True, capture_output=True)
    (tmp_path / "x.key").chmod(0o600)
    with pytest.raises(ReleaseError, match="no Ed25519 key"):
        keys.public_of(tmp_path / "x.key")


def test_the_keys_command_speaks_in_sentences(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(keys.PASSPHRASE, "geheim")
    assert main(["keys", "new", str(tmp_path / "r"), "--passphrase"]) == 0
    name = capsys.readouterr().out.split()[0]
    assert main(["keys", "show", str(tmp_path / "r.pub")]) == 0
    assert main(["keys", "show", str(tmp_path / "r.key")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == shown[1]
    assert shown[0].startswith(name)
    monkeypatch.delenv(keys.PASSPHRASE)
    for words in (["new", str(tmp_path / "r")], ["show", str(tmp_path / "none")], ["show", str(tmp_path / "r.key")], ["show", str(tmp_path)]):
        assert main(["keys", *words]) == 1
        told = capsys.readouterr().err
        assert told.startswith(f"deploy: {tmp_path}")
        assert ("make a pair with" in told) == (words[1].endswith("none"))


def test_the_passphrase_stands_in_no_list_of_processes(tmp_path, monkeypatch):
    """It reaches openssl through a pipe."""
    lines = []
    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda words, **more: lines.append(words) or real(words, **more))
    keys.make_key(tmp_path / "k.key", tmp_path / "k.pub", "geheim-im-rohr")
    assert len(lines) == 2
    assert not any("geheim" in str(word) for line in lines for word in line)
    assert all(Path(line[0]).name == "openssl" for line in lines)


def test_keys_are_changed_step_by_step(signed, tmp_path):
    """Old, old and new, new: at each step a device takes what is signed with a key that stands there, and no other; the other one is named."""
    archive, old = signed
    new = minisign.make_key(tmp_path / "n.key", tmp_path / "n.pub")
    both = tmp_path / "both.pub"
    both.write_bytes(codecs.BOM_UTF8 + old.read_bytes() + b"\n# since November\r\n" + (tmp_path / "n.pub").read_bytes())
    minisign.sign(archive, tmp_path / "n.key", COMMENT)
    beside = minisign.beside(archive)
    assert [signature.verify(archive, beside, keys) for keys in (both, tmp_path / "n.pub")] == [COMMENT, COMMENT]
    with pytest.raises(OnboardError, match=f"signed with the key {new.name}, which this device does not trust .*is it a new key of theirs"):
        signature.verify(archive, beside, old)
    minisign.sign(archive, tmp_path / "k.key", COMMENT)
    assert signature.verify(archive, beside, both) == COMMENT
    with pytest.raises(OnboardError, match="which this device does not trust"):
        signature.verify(archive, beside, tmp_path / "n.pub")


def test_a_line_that_is_no_key_is_counted(signed):
    """As when two files were put one behind the other and the first did not end its line."""
    raw = signed[1].read_bytes()
    with pytest.raises(OnboardError, match=r"trusted\.pub: line 2 is no minisign public key; each stands in a line of its own"):
        signature.parse_trusted(raw.rstrip(b"\n") + raw, "trusted.pub")


def test_where_no_folder_can_be_made_for_it_nothing_is_believed(signed, monkeypatch):
    def none(**_):
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr("tempfile.TemporaryDirectory", none)
    with pytest.raises(OnboardError, match=r"none can be made .*make room in /tmp"):
        signature.verify(signed[0], minisign.beside(signed[0]), signed[1])


def test_a_secret_key_is_not_taken_for_a_public_one(signed, tmp_path):
    with pytest.raises(OnboardError, match="is a secret key, which stays with who signs and goes onto no device"):
        signature.parse_trusted((tmp_path / "k.key").read_bytes(), "k.key")


def test_a_full_disk_leaves_neither_half_a_key_nor_half_a_signature(signed, tmp_path):
    """A file may not grow, as on a full disk: the kernel itself refuses. What was there stays."""
    archive, _ = signed
    before = minisign.beside(archive).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limited(most, act):
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        try:
            act()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    with pytest.raises(ReleaseError, match=r"n\.key: file too large"):
        limited(100, lambda: minisign.make_key(tmp_path / "n.key", tmp_path / "n.pub"))
    with pytest.raises(ReleaseError, match=r"a\.tar\.minisig\.new: file too large"):
        limited(200, lambda: minisign.sign(archive, tmp_path / "k.key", "another"))
    with pytest.raises(OnboardError, match=r"platewatch-verify-\w+/key: the disk is full"):
        limited(100, lambda: signature.verify(archive, minisign.beside(archive), tmp_path / "k.pub"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "a.tar.minisig", "k.key", "k.pub"]
    assert minisign.beside(archive).read_bytes() == before
