"""What the power cuts draw, tell and look for. That they cut is seen where they may: tests/e2e/test_powercuts.py."""

from __future__ import annotations

import json
import os
import time
from types import SimpleNamespace

import pytest

from tests.powercuts import command, lives, verdict
from tests.powercuts.course import BAD, FIRST, KINDS, MOST_CUTS, PAST, UPDATE, WINDOWS, Cut, Life, Told, life, spread, summary, window
from tests.powercuts.errors import CutsError
from tests.powercuts.side import all_of

LENGTHS = {FIRST: 100.0, UPDATE: 80.0, BAD: 300.0}
OLD, NEW = "0.1.0-202611230000-aaaaaaaa", "0.1.1-202611230001-bbbbbbbb"


def test_a_seed_and_a_number_give_the_same_life_whatever_came_before():
    assert [life(7, number, LENGTHS) for number in range(20)] == [life(7, number, LENGTHS) for number in range(20)]
    assert life(7, 3, LENGTHS) != life(8, 3, LENGTHS)
    assert life(7, 4, LENGTHS, UPDATE).kind == UPDATE


def test_moments_fall_into_every_tenth_of_each_course_and_past_its_end():
    for kind in (FIRST, UPDATE, BAD):
        moments = [moment for number in range(300) for moment in life(1, number, LENGTHS, kind).moments]
        assert LENGTHS[kind] < max(moments) <= PAST * LENGTHS[kind]
        assert {int(10 * moment / LENGTHS[kind]) for moment in moments} == set(range(11))
        assert {len(life(1, number, LENGTHS, kind).moments) for number in range(300)} == set(range(1, MOST_CUTS[kind] + 1))


def test_two_of_five_moments_are_drawn_where_something_is_done_before_the_watch_and_one_where_it_ends():
    assert [window(name, FIRST, 100.0) for name in WINDOWS] == [(0.0, PAST * 100)] * 2 + [(0.0, 40.0)] * 2 + [(95.0, 102.0)]
    assert window("before", BAD, 280.0) == (0.0, 1.0), "a course that is shorter than its watch has a beginning all the same"


def test_half_of_all_lives_begin_as_a_fresh_card():
    assert KINDS.count(FIRST) == KINDS.count(UPDATE) + KINDS.count(BAD)


def test_the_line_at_the_end_counts_lives_and_cuts_and_names_who_is_lost():
    told = [Told(0, FIRST, [Cut(1, 1, "a", 9.6), Cut(2, 2, "b")]), Told(1, UPDATE, [Cut(3, 3, "c", 4)])]
    assert summary(told) == (
        "3 power cuts in 2 lives (first start: 1 lives, 2 cuts; update: 1 lives, 1 cuts): every one came back; the slowest answered 10 s after power-on."
    )
    told[1].wrong = "no pictures"
    assert "1 did not come back: life 1" in summary(told)
    assert "none" in summary([])


def test_cuts_are_counted_by_tenths_and_those_past_the_end_in_the_last():
    told = [Told(0, FIRST, [Cut(0, 0.0, ""), Cut(0, 55.0, ""), Cut(0, 109.0, "")]), Told(1, UPDATE, [Cut(0, 1.0, "")])]
    assert spread(told, LENGTHS, FIRST) == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]


def test_what_became_of_a_life_is_kept_and_read_again():
    told = Told(3, BAD, [Cut(1.5, 1.5, "fetching", 7.0), Cut(2, 2, "on trial")], "no page", "/somewhere", 12.5)
    assert Told.of(json.loads(json.dumps(told.as_json()))) == told


@pytest.fixture
def root(tmp_path):
    """A device in order, as it lies on its card."""
    root = tmp_path / "root"
    release = root / "opt/platewatch/releases" / OLD
    (release / "units").mkdir(parents=True)
    (release / "COMPLETE").touch()
    (release / "units/platewatch.service").touch()
    (root / "opt/platewatch/current").symlink_to(f"releases/{OLD}")
    (root / "etc/systemd/system/multi-user.target.wants").mkdir(parents=True)
    (root / "etc/systemd/system/platewatch.service").symlink_to("/opt/platewatch/current/units/platewatch.service")
    (root / "etc/systemd/system/multi-user.target.wants/platewatch.service").symlink_to("/etc/systemd/system/platewatch.service")
    for name in ("etc/platewatch", "usr/local/bin", "var/lib/platewatch-deploy"):
        (root / name).mkdir(parents=True)
    return root


def test_a_device_in_order_has_nothing_wrong(root):
    assert verdict.releases(root, OLD, set()) == []
    assert verdict.leftovers(root) == []


def test_a_half_release_and_one_too_many_are_found(root):
    (root / "opt/platewatch/releases" / NEW).mkdir()
    assert verdict.releases(root, OLD, {NEW}) == [f"the release {NEW} is half"]
    (root / "opt/platewatch/releases" / NEW / "COMPLETE").touch()
    assert verdict.releases(root, OLD, {NEW}) == []
    assert verdict.releases(root, OLD, set()) == [f"the release {NEW} is left over"]
    assert verdict.releases(root, "another", {OLD, NEW}) == ["the release another is not there"]


@pytest.mark.parametrize("name", ["etc/platewatch/.platewatch.toml.new", "usr/local/bin/.platewatch.new", "etc/systemd/system/.x.service.new"])
def test_a_file_that_never_got_its_name_is_found(root, name):
    (root / name).touch()
    assert verdict.leftovers(root) == [f"{name} is left over"]


def test_a_unit_that_leads_nowhere_is_found_also_through_the_current_release(root):
    (root / "opt/platewatch/releases" / OLD / "units/platewatch.service").unlink()
    assert [words.split()[-2:] for words in verdict.leftovers(root)] == [["leads", "nowhere"]] * 2
    assert "etc/systemd/system/multi-user.target.wants/platewatch.service leads nowhere" in verdict.leftovers(root)


def test_a_spool_is_found(root):
    (root / "var/lib/platewatch-deploy/spool").mkdir()
    assert verdict.leftovers(root) == ["var/lib/platewatch-deploy/spool is left over"]


def test_a_secret_is_found_in_an_image_also_across_two_pieces_and_behind_a_hole(tmp_path):
    image = tmp_path / "boot.img"
    with image.open("wb") as file:
        file.truncate(1 << 24)
        file.seek((1 << 22) + 4093)
        file.write(b"hush hush")
    assert verdict.holds(image, b"hush hush")
    assert verdict.holds(image, b"hush hush", piece=4096)
    assert not verdict.holds(image, b"hush hash")


def test_a_boot_partition_on_which_the_first_start_did_not_end_is_told_of(tmp_path):
    boot, image = tmp_path / "boot", tmp_path / "boot.img"
    (boot / "platewatch").mkdir(parents=True)
    image.write_bytes(b"psk: open sesame")
    (boot / "platewatch-log.txt").write_text("     1 s  NOT INSTALLED: the disk is full\r\n     9 s  DONE. The page: http://gate.local:8080/\r\n")
    assert verdict.first_start_faults(boot, image, [b"nothing"]) == ["the owner's log says '     1 s  NOT INSTALLED: the disk is full'"]
    (boot / "platewatch/secrets.json").touch()
    (boot / "platewatch-log.txt").write_text("     1 s  Going on.\r\n")
    found = verdict.first_start_faults(boot, image, [b"open sesame"])
    assert [words[:20] for words in found] == ["secrets.json is stil", "the owner's log ends", "the boot partition s"]


@pytest.mark.parametrize(
    ("state", "changes", "said"),
    [
        ({}, (), "before the first byte"),
        ({}, ("spool",), "fetching, or looking at what was fetched"),
        ({}, ("half", "spool"), "a half new one"),
        ({}, ("half", "whole"), "the new one stands whole"),
        ({"pending": NEW}, ("half", "whole"), "the new one stands whole, not yet switched to"),
        ({"trial": {"id": NEW}}, ("half", "whole"), "on trial, the old one is current"),
        ({"trial": {"id": NEW}}, ("half", "whole", "turned"), "on trial, the new one is current"),
        ({"trial": {"id": NEW, "failed": "no page"}}, ("half", "whole", "turned"), "going back, the new one is current"),
        ({}, ("half", "whole", "turned"), "the new one runs and has proved itself"),
        ({"failed": {"id": NEW}}, (), "rolled back"),
    ],
)
def test_what_an_update_was_at_is_read_from_the_disk(root, state, changes, said):
    new = root / "opt/platewatch/releases" / NEW
    if "half" in changes:
        new.mkdir()
    if "whole" in changes:
        (new / "COMPLETE").touch()
    if "spool" in changes:
        (root / "var/lib/platewatch-deploy/spool").mkdir()
    if "turned" in changes:
        (root / "opt/platewatch/current").unlink()
        (root / "opt/platewatch/current").symlink_to(f"releases/{NEW}")
    assert lives.doing(SimpleNamespace(root=root, state=lambda: state), OLD, NEW) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--lives", "0"], "--lives 0: from 1 to 10000"),
        (["--at-once", "99"], "--at-once 99: from 1 to 16"),
        (["--out", "no/such/folder/x.json"], "its folder is not there"),
    ],
)
def test_bad_words_are_one_sentence(words, said, monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(command.shutil, "which", lambda name: name)
    assert command.main(words) == 1
    assert said in capsys.readouterr().err


def test_without_root_or_a_program_it_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert command.main([]) == 1
    assert "take root on Linux" in capsys.readouterr().err
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(command.shutil, "which", lambda name: None if name == "systemd-nspawn" else name)
    assert command.main([]) == 1
    assert "systemd-nspawn: not on this machine; sudo apt-get install systemd-container" in capsys.readouterr().err


def _lived(parts, one, say):
    """In the place of a life: the first of them waits for the second, so that they have to be at work together."""
    mark = parts / "second"
    say("at work")
    if one.number == 3:
        raise CutsError("no loop device is left")
    if one.number == 1:
        mark.touch()
    while one.number == 0 and not mark.exists():
        time.sleep(0.01)
    return Told(one.number, one.kind)


def _endless(parts, one, say):
    try:
        say("at work")
        time.sleep(600)
    finally:
        (parts / f"let go {one.number}").touch()


def test_lives_run_side_by_side_and_each_tells_its_steps(tmp_path):
    said = []
    told = list(all_of(tmp_path, [Life(number, FIRST, ()) for number in range(3)], 2, lambda one, words: said.append((one.number, words)), _lived))
    assert sorted(one.number for one in told) == [0, 1, 2]
    assert sorted(said) == [(number, "at work") for number in range(3)]


def test_a_life_that_cannot_be_led_ends_the_run_with_its_words(tmp_path):
    with pytest.raises(CutsError, match="life 3: no loop device is left"):
        list(all_of(tmp_path, [Life(3, FIRST, ())], 2, lambda *_: None, _lived))


def test_a_run_that_is_stopped_lets_every_life_let_go_of_its_card(tmp_path):
    begun = []

    def stop_when_both_are_at_work(one, words):
        begun.append(one.number)
        if len(begun) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(all_of(tmp_path, [Life(number, FIRST, ()) for number in range(2)], 2, stop_when_both_are_at_work, _endless))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["let go 0", "let go 1"]
