"""What the chapter for newcomers asks of its reader: ten minutes and five commands, calculated from its words as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("flask", reason="the pictures' answers stand beside the page's tests")

from tests.handson import klm, owner
from tests.handson.chapter import CHAPTER, drawn, programs, steps
from tests.handson.command import MOST_COMMANDS, MOST_S, keeps, main, minutes, table, whole
from tests.handson.dialogue import AGAIN, CARD, SUDO, dialogue
from tests.handson.errors import HandsonError
from tests.handson.klm import PRACTISED, UNPRACTISED, Load

ROOT = Path(__file__).parents[2]
PAGE = """# First

Read [this](elsewhere.md) *now*.

## Typing

1. Open it and type

   ```sh
   one --thing && two
   ```

   <img src="picture.svg" alt="not read">

2. Say `yes`.

Done here.
"""


def seconds(letter: str, person: klm.Person) -> float:
    return klm.seconds(whole(owner.way(letter)), person)


def test_at_a_linux_computer_the_unpractised_needs_less_than_ten_minutes_and_one_command():
    done = owner.way("A")
    assert klm.seconds(whole(done), UNPRACTISED) < MOST_S
    assert sum(step.commands for step in done) == 1
    assert keeps(done)


def test_from_windows_and_macos_the_practised_needs_less_than_ten_minutes_the_unpractised_less_than_thirteen_and_there_are_five_commands():
    assert seconds("B", PRACTISED) < MOST_S
    assert seconds("B", UNPRACTISED) < 13 * 60
    assert sum(step.commands for step in owner.way("B")) == MOST_COMMANDS


def test_the_chapter_shows_the_table_that_the_program_prints():
    ways = {letter: owner.way(letter) for letter in owner.WAYS}
    assert table(ways, owner.apart(owner.BEFORE), owner.apart((owner.LATER,))) in CHAPTER.read_text(encoding="utf-8")


def test_a_page_is_cut_into_its_steps_with_words_commands_and_pictures():
    first, typing, one, two, rest = steps(PAGE)
    assert first.text == "First Read this now ."
    assert (typing.name, typing.text) == ("Typing", "Typing")
    assert (one.name, one.text) == ("Typing, 1", "Open it and type one --thing && two")
    assert (one.commands, one.pictures) == (("one --thing && two",), ("picture.svg",))
    assert (two.number, two.text) == (2, "Say yes .")
    assert (rest.number, rest.text) == (0, "Done here.")


def test_two_programs_on_one_line_are_two_commands():
    assert programs("sudo apt-get update && sudo apt-get install -y git") == ["sudo apt-get update", "sudo apt-get install -y git"]
    assert len(programs("curl ADDRESS | tar -xz; ls")) == 3


def test_the_words_of_a_drawing_are_read_and_a_photograph_has_none(tmp_path):
    (tmp_path / "a.svg").write_text('<svg><title>x</title><text x="1">1. The card</text><text>last</text></svg>')
    assert drawn(tmp_path / "a.svg") == "1. The card last"
    assert drawn(tmp_path / "a.png") == ""


def test_times_are_those_of_the_papers():
    assert klm.seconds(Load(words=238), PRACTISED) == klm.seconds(Load(words=119), UNPRACTISED) == 60
    assert klm.seconds(Load(keys=10, minds=1), UNPRACTISED) == pytest.approx(10 * 1.20 + 1.35)
    assert klm.seconds(Load(clicks=2, homings=1), PRACTISED) == klm.seconds(Load(clicks=2, homings=1), UNPRACTISED) == pytest.approx(2 * (1.10 + 0.20) + 0.40)
    assert minutes(593.6) == "9:54"


def test_shift_is_a_key_and_a_password_once_more_takes_no_decision():
    assert klm.typed("aB@") == Load(minds=1, keys=6)
    assert klm.typed("", code=True, again=True) == Load(codes=1)


def test_a_line_is_pasted_by_clicks_and_typed_around_what_comes_from_elsewhere():
    assert klm.pasted("platewatch/setup.sh pi") == Load(minds=1, clicks=4, codes=1)
    assert klm.pasted("git clone ADDRESS here") == klm.typed("git clone here", code=True) + Load(minds=1, clicks=4, homings=2)


def test_the_dialogue_is_the_programs_own_with_each_secret_twice():
    asked = dialogue()
    assert [one.answer for one in asked if CARD in one.words and not one.secret] == [CARD]
    assert sum(one.words == AGAIN for one in asked) == 3
    assert asked[-1].words == SUDO
    assert any("Password of the page" in one.words and one.secret for one in asked)


def test_an_answer_that_the_program_no_longer_asks_for_is_named(monkeypatch):
    from tests.browser import first_card

    monkeypatch.setattr(first_card, "ANSWERS", (*first_card.ANSWERS, ("Shoe size", "42")))
    with pytest.raises(HandsonError, match="Shoe size"):
        dialogue()
    monkeypatch.setattr(first_card, "ANSWERS", (("Shoe size", "42"),))
    with pytest.raises(HandsonError, match="has no answer"):
        dialogue()


def test_what_sudo_is_told_is_what_the_program_says():
    said = (ROOT / "deploy/card/root.py").read_text(encoding="utf-8")
    assert SUDO.partition(CARD)[0] in said
    assert SUDO.partition(CARD)[2].partition(" [sudo]")[0] in said


def test_a_sentence_that_left_the_chapter_is_named(tmp_path, capsys):
    changed = tmp_path / "first-card.md"
    changed.write_text(CHAPTER.read_text(encoding="utf-8").replace("take the card out", "pull it"), encoding="utf-8")
    assert main(["--chapter", str(changed)]) == 1
    assert "does not say 'take the card out'" in capsys.readouterr().err


def test_a_chapter_that_grew_by_a_page_no_longer_keeps_to_ten_minutes(tmp_path):
    grown = tmp_path / "docs/first-card.md"
    grown.parent.mkdir()
    (grown.parent / "images").symlink_to(CHAPTER.parent / "images")
    grown.write_text(CHAPTER.read_text(encoding="utf-8").replace("## 2. Plug in\n", f"## 2. Plug in\n\n{'word ' * 300}\n"), encoding="utf-8")
    assert not keeps(owner.way("A", grown))


def test_what_is_not_there_or_not_understood_is_one_sentence(tmp_path, capsys):
    assert main(["--chapter", str(tmp_path / "none.md")]) == 1
    assert "cannot be read" in capsys.readouterr().err
    odd = tmp_path / "acts.toml"
    odd.write_text('[[act]]\nstep = "x"\nsays = "y"\nclick = 1\n')
    with pytest.raises(HandsonError, match="click: unknown"):
        owner.known(odd)
