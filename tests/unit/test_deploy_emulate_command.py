"""`./setup.sh emulate` as a command: which stages run, what is told of them, what is kept of their results; and how it asks the page."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.emulate import __main__ as command
from deploy.emulate import cuts, living, record
from deploy.emulate.bench import Bench, release_of
from deploy.emulate.errors import EmulateError
from deploy.emulate.page import Page
from deploy.emulate.stages import STAGES
from tests.pages import PASSWORD, a_config, served


def result(name: str, **more: object) -> record.Result:
    return record.Result(**({"name": name, "ok": True, "seconds": 12, "date": "2026-01-02", "commit": "12345678"} | more))


ABOUT = {"cpus": 2, "qemu": "QEMU 7.2"}


def test_results_are_kept_stage_by_stage_and_come_back(tmp_path):
    path = tmp_path / "results/last.json"
    record.save({"one": result("one", figures={"s": 5}), "gone": result("gone")}, ("one", "two"), ABOUT, path)
    assert record.load(path) == {"one": result("one", figures={"s": 5})}
    assert json.loads(path.read_text())["about"] == ABOUT
    path.write_text("{")
    with pytest.raises(EmulateError, match="cannot be used"):
        record.load(path)


def test_the_table_says_what_failed_and_what_never_ran():
    made = record.table(
        {"one": result("one", figures={"s": 5}), "two": result("two", ok=False, words="no | page")}, {"one": "1", "two": "2", "three": "3"}, ABOUT
    )
    assert "| one | 1 | passed | 12 s | s: 5 | 2026-01-02, 12345678 |" in made
    assert "| two | 2 | **failed** | 12 s | no / page |" in made
    assert "| three | 3 | **has not been run** |" in made


def test_the_table_replaces_what_stood_between_the_markers_alone(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{record.BEGIN}\nold\n{record.END}\nafter\n")
    record.into_readme("new", path)
    assert path.read_text() == f"before\n{record.BEGIN}\nnew\n{record.END}\nafter\n"
    path.write_text("no markers")
    with pytest.raises(EmulateError, match="lacks the two markers"):
        record.into_readme("new", path)


def test_the_record_of_the_repository_names_stages_that_there_are_and_is_the_readmes_table():
    results = record.load()
    assert set(results) <= {stage.name for stage in STAGES}
    if results:
        about = json.loads(record.RESULTS.read_text())["about"]
        assert record.table(results, {stage.name: stage.words for stage in STAGES}, about) in record.README.read_text()


def bench(folder: Path) -> Bench:
    return Bench(folder, folder, 7, 2, lambda words: None)


def test_a_stage_brings_what_it_needs_and_what_a_kept_run_has_is_not_made_again(tmp_path):
    names = [stage.name for stage in command.wanted(["plates"], STAGES, bench(tmp_path))]
    assert names == ["image", "releases", "flash", "first-boot", "plates"]
    (tmp_path / "card.img").touch()
    assert [stage.name for stage in command.wanted(["plates"], STAGES, bench(tmp_path))] == ["plates"]
    assert command.wanted([], STAGES, bench(tmp_path)) == list(STAGES)


def test_the_same_seed_cuts_at_the_same_moments_and_each_stage_at_its_own(tmp_path):
    one, two = bench(tmp_path), bench(tmp_path)
    one.stage = two.stage = "cut-update"
    assert one.dice().random() == two.dice().random()
    two.stage = "cut-first-boot"
    assert one.dice().random() != two.dice().random()


def test_each_part_of_a_course_has_its_cut(tmp_path):
    one = bench(tmp_path)
    one.cuts = 4
    drawn = cuts.moments(one, 20.0, 100.0)
    assert drawn == cuts.moments(one, 20.0, 100.0)
    assert [int((moment - 20) / 20) for moment in sorted(drawn)] == [0, 1, 2, 3]


def test_a_stage_that_fails_is_told_and_what_stands_on_it_is_left_out(tmp_path, capsys):
    def fail(_: Bench) -> dict[str, object]:
        raise EmulateError("no page came")

    stages = [command_stage("one", fail), command_stage("two", lambda _: {"s": 1}, "one"), command_stage("three", lambda _: {"s": 3})]
    assert command._stages(stages, bench(tmp_path), record=False) == 1
    said = capsys.readouterr().out
    assert "FAILED" in said
    assert "no page came" in said
    assert "two: one failed" in said
    assert "1 of 3 stages passed" in said


def command_stage(name: str, run: object, after: str = "") -> object:
    return SimpleNamespace(name=name, words=name, run=run, after=after, done=lambda _: False)


@pytest.mark.parametrize(("words", "said"), [(["--only", "nothing"], "there is no such stage"), (["--cuts", "0"], "name at least one")])
def test_a_wrong_word_gets_one_sentence(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("deploy.emulate.program.missing", lambda: [])
    assert command.main(words) == 1
    told = capsys.readouterr().err
    assert told.startswith("emulate: ")
    assert said in told
    assert told.count("\n") == 1


def test_what_is_missing_on_the_computer_is_named_with_its_packages(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("deploy.emulate.program.missing", lambda: ["qemu-system-arm"])
    assert command.main([]) == 1
    assert "missing on this computer: qemu-system-arm; sudo apt-get install" in capsys.readouterr().err


def test_the_list_names_every_stage(capsys):
    assert command.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [stage.name for stage in STAGES]


def test_a_releases_id_is_in_its_name():
    assert release_of(Path("x/platewatch-1.0.1-202601020304-11111111.tar")) == "1.0.1-202601020304-11111111"


def test_a_page_that_is_not_there_answers_nothing():
    page = Page("http://127.0.0.1:9")
    assert page.get("/") == (0, b"")
    assert not page.alive()
    assert not page.setting_up()


@pytest.mark.parametrize(("code", "body", "alive"), [(200, b'{"ok": true}', True), (503, b'{"ok": true}', False), (200, b"<html>", False)])
def test_only_the_real_page_counts_as_the_page(monkeypatch, code, body, alive):
    page = Page("http://127.0.0.1:9")
    monkeypatch.setattr(page, "get", lambda *_, **__: (code, body))
    assert page.alive() is alive


def test_the_real_page_takes_the_log_in_twice_and_refuses_a_wrong_password(tmp_path):
    with served(a_config(tmp_path, host="127.0.0.1")) as address:
        page = Page(address)
        assert page.alive()
        with pytest.raises(EmulateError, match="/api/events"):
            page.json("/api/events")
        page.log_in(PASSWORD)
        page.log_in(PASSWORD)
        assert page.json("/api/me")["name"] == "admin"
        with pytest.raises(EmulateError, match="does not take the password"):
            page.log_in("another")


def test_the_clip_is_read_here_by_the_devices_own_settings(tmp_path):
    """What the emulated daemon is held against: most of the clip's plates, by a real run."""
    truth = {plate["text"] for plate in json.loads((living.CLIPS / "demo.json").read_text())}
    assert len(living.read_here(tmp_path / "here") & truth) >= 4
