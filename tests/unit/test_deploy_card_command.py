"""`deploy card`: key, release and card by one command, on files that stand for cards; the build of a release stubbed, everything around it real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.card import disks, eject, root, target
from deploy.card.detect import detect
from deploy.card.errors import CardError
from deploy.card.told import told
from deploy.cli import main
from deploy.commands import card
from deploy.here import signed
from deploy.release import archive
from deploy.release.errors import ReleaseError
from deploy.release.minisign import verify
from deploy.release.source import Source
from tests.cards import (
    BOOKWORM,
    IMAGER_1,
    IMAGER_2,
    IMAGER_2_USER,
    IMAGER_FIRSTRUN,
    IMAGER_NETWORK,
    IMAGER_PRESEED,
    KEY,
    STOCK_USER_DATA,
    TOOLS,
    TRIXIE,
    boot_folder,
    image,
    inside,
)
from tests.terminal import Terminal

ROOT = Path(__file__).parents[2]
pytestmark = TOOLS
NAME = "2025-11-24-raspios-trixie-arm64-lite.img"
TOML = f'[device]\nname = "gate"\n[user]\nname = "owner"\nssh_keys = ["{KEY}"]\n[page]\npassword = "env:GATE_PAGE"\n'


def stub(built):
    """In the place of `signed.built`: an archive that holds nothing of use. `built` notes for which Pythons."""

    def build(source, pythons, out, say):
        built.append(tuple(pythons))
        files = {f"wheels/{name}-1.0-py3-none-any.whl": b"not really" for name in ("pip", "platewatch")}
        files |= {"onboard.pyz": b"#!/usr/bin/env python3\n", "units/platewatch.service": b"[Unit]\n"}
        return archive.build(out, files, version=source.version, serial=source.serial, commit=source.commit, pythons=tuple(pythons))

    return build


@pytest.fixture
def built(monkeypatch, tmp_path):
    """The desk of somebody who has the sources, an image and a device file; which releases were built."""
    found: list[tuple[str, ...]] = []
    source = Source(tmp_path, "0.1.0", 1_760_000_000, "0123456789abcdef" * 2 + "01234567", (), ())

    @contextmanager
    def of_checkout():
        yield source

    monkeypatch.setattr(signed, "of_checkout", of_checkout)
    monkeypatch.setattr(signed, "built", stub(found))
    monkeypatch.setattr(signed, "DIST", tmp_path / "dist")
    monkeypatch.setattr(signed.release, "__defaults__", (tmp_path / "dist", None))
    monkeypatch.setattr(target.mounted, "__defaults__", (((str(tmp_path), "media/*/bootfs*"),),))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GATE_PAGE", "the page's word")
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gate.toml").write_text(TOML)
    image(tmp_path / NAME, TRIXIE)
    return found


def run(*words, disk="card.img"):
    return main(["card", "gate.toml", "--image", NAME, "--disk", disk, "--yes-really", disk, *words])


def refused(capsys, words, *arguments):
    """One sentence and exit code 1."""
    assert main(["card", *arguments]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


def test_the_first_run_makes_key_release_and_card_and_the_second_the_card_alone(built, tmp_path, capsys):
    assert run() == 0
    said = capsys.readouterr().out
    secret = tmp_path / "home/platewatch-release.key"
    assert f"Your key was made: {secret}" in said
    assert (secret.stat().st_mode & 0o777, built) == (0o600, [("3.13",)])
    boot = inside(Path("card.img"))
    assert boot.read("platewatch/trusted.pub") == secret.with_suffix(".pub").read_bytes()
    verify(next(Path("dist").glob("*.tar")), secret.with_suffix(".pub"))
    assert run(disk="second.img") == 0
    assert "key was made" not in capsys.readouterr().out
    assert built == [("3.13",)]
    kit = [json.loads(inside(Path(name)).read("platewatch/kit.json")) for name in ("card.img", "second.img")]
    assert kit[0]["release"] == kit[1]["release"]


def test_a_release_is_made_again_for_what_it_lacks_and_keeps_what_it_had(built, tmp_path):
    """So that two kinds of card need not take turns."""
    public = signed.keys(tmp_path / "a.key", print)
    secret = tmp_path / "a.key"
    assert archive.inspect(signed.release(secret, public, ("3.11",))).pythons == ("3.11",)
    assert archive.inspect(signed.release(secret, public, ("3.13",))).pythons == ("3.11", "3.13")
    for pythons in (("3.11",), ("3.13",), ("3.11", "3.13")):
        signed.release(secret, public, pythons)
    assert built == [("3.11",), ("3.11", "3.13")]


@pytest.mark.parametrize("harm", ["cut", "unsigned", "other key"])
def test_a_release_that_does_not_verify_is_no_release(built, tmp_path, harm):
    public = signed.keys(tmp_path / "a.key", print)
    made = signed.release(tmp_path / "a.key", public, ("3.13",))
    if harm == "cut":
        made.write_bytes(made.read_bytes()[:-512])
    elif harm == "unsigned":
        made.with_name(made.name + ".minisig").unlink()
    else:
        for name in ("a.key", "a.pub"):
            (tmp_path / name).unlink()
        signed.keys(tmp_path / "a.key", print)
    assert signed.pythons_of(made, public) == ()
    verify(signed.release(tmp_path / "a.key", public, ("3.13",)), public)
    assert built == [("3.13",)] * 2


def test_other_sources_are_another_release(built, tmp_path, monkeypatch):
    public = signed.keys(tmp_path / "a.key", print)
    first = signed.release(tmp_path / "a.key", public, ("3.13",))

    @contextmanager
    def later():
        yield Source(tmp_path, "0.1.0", 1_760_000_060, "f" * 40, (), ())

    monkeypatch.setattr(signed, "of_checkout", later)
    assert signed.release(tmp_path / "a.key", public, ("3.13",)) != first
    assert len(built) == 2


def test_half_a_key_is_refused_and_never_overwritten(tmp_path):
    for ending in (".key", ".pub"):
        folder = tmp_path / ending
        folder.mkdir()
        (folder / f"a{ending}").write_text("mine")
        with pytest.raises(ReleaseError, match="half a key"):
            signed.keys(folder / "a.key", print)
        assert [path.read_text() for path in folder.iterdir()] == ["mine"]


def test_a_dry_run_writes_no_card(built, capsys):
    assert run("--dry-run") == 0
    assert "would write" in capsys.readouterr().out
    assert not Path("card.img").exists()


def test_an_image_whose_name_does_not_tell_its_python_gets_both(built, tmp_path):
    (tmp_path / NAME).rename(tmp_path / "mine.img")
    assert main(["card", "gate.toml", "--image", "mine.img", "--disk", "card.img", "--yes-really", "card.img"]) == 0
    assert built == [("3.11", "3.13")]


def test_what_cannot_work_is_one_sentence_before_anything_is_made(built, tmp_path, capsys, monkeypatch):
    refused(capsys, "nobody is at a terminal", "gate.toml")
    refused(capsys, "is no folder", "gate.toml", "--into", "not-there")
    refused(capsys, "do not go together", "gate.toml", "--into", ".", "--image", NAME)
    refused(capsys, "no boot folder", "gate.toml", "--into", ".")
    refused(capsys, "is not there", "gate.toml", "--image", NAME, "--disk", "/dev/no-such-card")
    refused(capsys, "cannot be read", "gate.toml", "--image", "not-there.img", "--disk", "card.img")
    refused(capsys, "cannot be made", "gate.toml", "--image", NAME, "--disk", "no/card.img", "--yes-really", "no/card.img")
    refused(capsys, "--yes-really", "gate.toml", "--image", NAME, "--disk", NAME)
    assert built == []
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be behind sudo")
def test_behind_sudo_it_refuses_so_that_nothing_becomes_roots(built, monkeypatch, capsys):
    monkeypatch.setenv("SUDO_USER", "anna")
    refused(capsys, "run it without sudo, as anna", "gate.toml", "--image", NAME, "--disk", "card.img")
    assert built == []


CARDS = [
    (TRIXIE | {"user-data": IMAGER_2, "network-config": IMAGER_NETWORK}, "porch", "anna"),
    (TRIXIE | {"user-data": IMAGER_2_USER}, "pizero", "so6"),
    (TRIXIE | {"user-data": IMAGER_1}, "hall", "pi"),
    (BOOKWORM | {"firstrun.sh": IMAGER_FIRSTRUN}, "porch", "anna"),
]


@pytest.mark.parametrize(("kind", "name", "user"), CARDS)
def test_what_imager_was_told_is_not_asked_again_and_makes_no_second_user(built, tmp_path, monkeypatch, kind, name, user):
    """One question is left: the page's password."""
    from deploy.card import prepare

    asked = []

    def answer(words, default, secret):
        asked.append(words)
        return "the page's word"

    monkeypatch.setattr(prepare, "terminal", lambda: answer)
    boot = boot_folder(tmp_path / "media/me/bootfs", kind)
    assert main(["card", "--into", "media/me/bootfs"]) == 0
    assert [words.split("(")[0] for words in asked] == ["Password of the page "]
    assert boot.read("platewatch/kit.json")
    text = (boot.read("user-data") or boot.read("firstrun.sh")).decode()
    assert text.count("Password") == 0
    assert "owner" not in text
    assert f'name = "{user}"' in Path(f"{name}.toml").read_text()


@pytest.mark.parametrize(
    "kind",
    [
        TRIXIE | {"user-data": STOCK_USER_DATA},
        TRIXIE | {"user-data": "#cloud-config\nhostname: gate\n"},
        TRIXIE | {"user-data": '#cloud-config\nhostname: gate\nusers:\n- name: root\n  passwd: "$6$short"\n'},
        TRIXIE | {"rpi-preseed.toml": IMAGER_PRESEED},
        TRIXIE | {"rpi-preseed.toml": "[user\n"},
        BOOKWORM,
    ],
)
def test_a_card_that_lacks_name_or_user_tells_nothing(tmp_path, kind):
    boot = boot_folder(tmp_path / "bootfs", kind)
    assert told(boot, detect(boot)) == {}


def test_a_preseeded_user_with_a_key_is_known(tmp_path):
    text = f'[system]\nhostname = "Porch"\n[user]\nname = "anna"\n[ssh]\nauthorized_keys = ["{KEY}"]\n'
    boot = boot_folder(tmp_path / "bootfs", TRIXIE | {"rpi-preseed.toml": text})
    assert told(boot, detect(boot)) == {"device": {"name": "porch"}, "user": {"name": "anna", "ssh_keys": [KEY]}}


def test_a_mounted_card_is_offered_and_a_no_leads_to_the_others(built, tmp_path, monkeypatch):
    import argparse

    boot_folder(tmp_path / "media/me/bootfs", TRIXIE)
    (tmp_path / "media/me/bootfs1").mkdir()
    options = argparse.Namespace(into=None, image=None, disk=None, onto_written=None, first_boot=None, sha256="", yes_really="", dry_run=False)
    found = card._target(options, lambda words, default, secret: default)
    assert (found.path, found.python, found.disk) == (tmp_path / "media/me/bootfs", "3.13", None)
    with pytest.raises(CardError, match="no image"):
        card._target(options, lambda words, *_: "no" if "mounted" in words else "")


def test_the_answers_of_the_last_time_are_offered(built, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "broken.toml").write_text("[")
    asked = []
    assert card._kept(lambda words, *_: asked.append(words) or "yes", "*") == Path("gate.toml")
    assert "gate.toml" in asked[0]
    assert card._kept(lambda *_: "no", "*") is None
    assert card._kept(lambda *_: "yes", "porch") is None


USB = disks.Disk("/dev/sdb", 32 << 30, "USB reader", removable=True)


def test_a_card_that_the_desktop_shows_is_offered_here_and_unmounted_by_root(built, monkeypatch, tmp_path):
    """A desktop mounts every card that is put in; flash alone would offer none."""
    import argparse

    shown = replace(USB, mounts=("/media/me/My card",))
    others = [replace(USB, path="/dev/sdc", mounts=("/srv/films",)), replace(USB, path="/dev/sda", mounts=("/media/x", "/"))]
    monkeypatch.setattr(disks, "disks", lambda: [*others, shown])
    monkeypatch.setattr(disks, "find", lambda name, **_: next(disk for disk in [*others, shown] if disk.path == name))
    options = argparse.Namespace(into=None, image=Path(NAME), disk=None, onto_written=None, first_boot=None, sha256="", yes_really="", dry_run=False)
    asked = []
    found = target.chosen(options, lambda words, *_: asked.append(words) or "/dev/sdb", as_root=True, unmounts=True)
    assert found.unmounts
    assert "/media/me/My card" in asked[0]
    assert not any(path in asked[0] for path in ("/dev/sda", "/dev/sdc"))
    assert "--unmount" in card._words(options, found)
    with pytest.raises(CardError, match="no card"):
        target.chosen(options, lambda *_: "/dev/sdb")
    ran = []
    monkeypatch.setattr(eject, "run", lambda *words: ran.append(words))
    eject.unmount(shown)
    assert ran == [("umount", "/media/me/My card")]


def test_a_disk_that_was_named_once_and_is_mounted_is_still_refused(built, monkeypatch, capsys):
    monkeypatch.setattr(disks, "find", lambda name, **_: replace(USB, mounts=("/media/me/My card",)))
    refused(capsys, "it is mounted", "gate.toml", "--image", NAME, "--disk", "/dev/sdb")


@pytest.mark.parametrize("dry", [False, True])
def test_a_mounted_disk_that_was_named_twice_is_unmounted_before_a_byte_goes_onto_it(monkeypatch, dry):
    done, disk = [], replace(USB, mounts=("/srv/films",))
    monkeypatch.setattr(target, "unmount", lambda disk: done.append(("umount", *disk.mounts)))
    monkeypatch.setattr(target, "image_onto", lambda work, image, disk, again: done.append(("write", *disk.mounts)))
    work = SimpleNamespace(dry=dry, telling=SimpleNamespace(step=lambda words: None))
    whole = target.Whole(SimpleNamespace(size=1000, packed=500), disk, disk.path)
    whole.write(work)
    assert done == [("write",)] if dry else [("umount", "/srv/films"), ("write",)]
    with pytest.raises(CardError, match="it is mounted"):
        replace(whole, told_again="").write(work)


def test_root_gets_the_answers_through_a_pipe_and_makes_nothing_but_the_card(built, tmp_path, monkeypatch):
    """The real second process, without sudo before it. Its environment has no password: they were looked up before."""
    before: set[str] = set()

    def asked(path):
        before.update(str(one) for one in tmp_path.rglob("*"))

    monkeypatch.setattr(root, "needed", lambda path: True)
    monkeypatch.setattr(root, "ask", asked)
    command = root.command
    monkeypatch.setattr(root, "command", lambda words: ["env", "-u", "GATE_PAGE", "HOME=/nowhere", *command(words)[1:]])
    Path("card.img").write_bytes(bytes(32 << 20))
    heard = signal.getsignal(signal.SIGINT)
    assert run() == 0
    assert inside(Path("card.img")).read("platewatch/kit.json")
    assert b"the page's word" not in Path("card.img").read_bytes()
    after = {str(one) for one in tmp_path.rglob("*")} - before
    assert {Path(one).relative_to(tmp_path).parts[0] for one in after} <= {"home", "dist"}
    assert signal.getsignal(signal.SIGINT) is heard


def test_the_command_for_root_names_all_that_is_known_and_nothing_secret(built, tmp_path):
    words = root.command(["--disk", "/dev/sdb"])
    assert words[:3] == ["sudo", sys.executable, "-B"]
    assert words[words.index("--at") + 1] == str(tmp_path)
    assert "the page's word" not in " ".join(words)


def test_where_sudo_says_no_nothing_is_written(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1))
    with pytest.raises(CardError, match="does not let you"):
        root.ask("/dev/sdb")

    def none(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", none)
    with pytest.raises(CardError, match="not installed"):
        root.ask("/dev/sdb")


def test_a_written_card_that_only_root_can_look_into_is_looked_into_before_a_release_is_built(built, monkeypatch, capsys):
    """So that a card which nobody wrote is known at once, and the release is for the one Python that the card's system has."""
    monkeypatch.setattr(root, "needed", lambda path: True)
    monkeypatch.setattr(root, "ask", lambda path: None)
    monkeypatch.setattr(disks, "may_write", lambda disk: False)
    command = root.command
    monkeypatch.setattr(root, "command", lambda words: command(words)[1:])
    Path("blank.img").write_bytes(bytes(32 << 20))
    refused(capsys, "has no partition table", "gate.toml", "--onto-written", "blank.img", "--yes-really", "blank.img")
    assert built == []
    assert main(["card", "gate.toml", "--onto-written", NAME, "--yes-really", NAME]) == 0
    assert built == [("3.13",)]
    assert inside(Path(NAME)).read("platewatch/kit.json")


def test_another_card_by_the_same_name_is_not_the_one_that_was_chosen(monkeypatch):
    """Whoever takes the one out and puts another in while the release is built."""
    now = [USB]
    monkeypatch.setattr(disks, "find", lambda name, **_: now[0])
    assert root.checked(USB) == USB
    now[0] = replace(USB, mounts=("/media/me/bootfs",))
    assert root.checked(USB) == now[0], "that a desktop shows it by now is no other card"
    for other in (replace(USB, size=64 << 30), replace(USB, model="Camera")):
        now[0] = other
        with pytest.raises(CardError, match="not the card that was chosen"):
            root.checked(USB)


def test_roots_part_by_itself_is_refused(monkeypatch, capsys):
    import io

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    refused(capsys, "--handed is for", "--handed")


STUBBED = """import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from deploy.card import target
from deploy.here import signed
from tests.unit.test_deploy_card_command import stub
signed.built = stub([])
signed.release.__defaults__ = (Path("dist"), None)
target.mounted.__defaults__ = ((),)
from deploy.cli import main
raise SystemExit(main(["card", *sys.argv[1:]]))
"""


def test_somebody_at_a_terminal_answers_and_is_asked_again_for_a_slip(built, tmp_path):
    """The real questions on a real terminal; no secret is ever shown."""
    (tmp_path / "gate.toml").unlink()
    words = [sys.executable, "-c", STUBBED.format(root=str(ROOT)), "--disk", "card.img", "--yes-really", "card.img"]
    with Terminal(words, tmp_path, os.environ | {"TERM": "dumb", "USER": "anna", "LOGNAME": "anna"}) as terminal:
        terminal.answer("as you downloaded it", "")
        terminal.answer("Name of the device", "My Gate")
        terminal.answer("is no host name", "gate")
        terminal.answer("Time zone", "Europe/London")
        terminal.answer("Login name for the device", "")
        terminal.answer("public SSH key", "")
        terminal.answer("Password for logging in", "correct horse", secret=True)
        terminal.answer("The same again", "another one", secret=True)
        terminal.wait("differ")
        for question, secret in (
            ("Password for logging in", "correct horse"),
            ("Wi-Fi", ""),
            ("Camera", ""),
            ("Plates", ""),
            ("Password of the page", "garden gate"),
        ):
            terminal.answer(question, secret, secret="Password" in question)
            if "Password" in question:
                terminal.answer("The same again", secret, secret=True)
        assert terminal.end() == 0, terminal.seen
    assert "correct horse" not in terminal.seen
    assert "garden gate" not in terminal.seen
    assert "kept in gate.toml" in terminal.seen
    assert "Done." in terminal.seen
    assert (tmp_path / "gate.toml").stat().st_mode & 0o777 == 0o600
    assert inside(tmp_path / "card.img").read("platewatch/kit.json")


def test_the_chapter_for_newcomers_shows_pictures_that_are_there_and_small():
    import re

    chapter = ROOT / "docs/first-card.md"
    pictures = re.findall(r'src="([^"]+)"', chapter.read_text(encoding="utf-8"))
    assert sorted(Path(name).name for name in pictures) == sorted(path.name for path in (ROOT / "docs/images").glob("first-*"))
    assert all(0 < (chapter.parent / name).stat().st_size < 60_000 for name in pictures)
