"""The gate: who is let in, who is not and why, and that the relay is off whatever happens."""

from __future__ import annotations

import http.server
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.config import Config, load
from edge.errors import ConfigError, GateError, StoreError
from edge.gate.audit import Audit
from edge.gate.decide import REASONS, Situation, decide
from edge.gate.duty import Duty
from edge.gate.factor import FileFactor, HttpFactor, says_yes, second_factor
from edge.gate.gate import Gate, make_gate
from edge.gate.hand import serve
from edge.gate.pins import CommandPin, GpioPin, output_device
from edge.gate.relay import Hand
from edge.lists.book import Lists
from edge.lists.settings import ListsConfig
from tests.fakes import FakeClock
from tests.gates import FRIEND, FakeFactor, FakePin, FakeRelay, a_gate_config, a_pass

ROOT = Path(__file__).parents[2]
ON_SITE = Situation(now=100.0, opened_at={})


@pytest.mark.parametrize(
    ("one", "situation", "reason"),
    [
        (a_pass(), ON_SITE, "welcome"),
        (a_pass(match=None), ON_SITE, "unknown plate"),
        (a_pass(match=replace(FRIEND, kind="deny")), ON_SITE, "denied"),
        (a_pass(match=replace(FRIEND, kind="ignore")), ON_SITE, "ignored"),
        (a_pass(match=replace(FRIEND, due=False)), ON_SITE, "not at this time"),
        (a_pass(agreeing=2), ON_SITE, "too few reads agree"),
        (a_pass(confidence=0.7), ON_SITE, "not sure enough"),
        (a_pass(in_view_s=0.2), ON_SITE, "in view too briefly"),
        (a_pass(direction="unknown"), ON_SITE, "does not approach"),
        (a_pass(direction="leaving"), ON_SITE, "does not approach"),
        (a_pass(), replace(ON_SITE, opened_at={"AB12CDE": 95.0}), "opened just now"),
        (a_pass(), replace(ON_SITE, opened_at={"AB12CDE": 70.0, "XY34ZZZ": 99.0}), "welcome"),
        (a_pass(), replace(ON_SITE, factor=(False, "no")), "no second factor"),
        (a_pass(), replace(ON_SITE, factor=(True, "yes")), "welcome"),
        (a_pass(), replace(ON_SITE, lists_trouble="a.csv is broken"), "lists cannot be read"),
        (a_pass(), replace(ON_SITE, relay_trouble="gone"), "the relay does not answer"),
        (a_pass(), replace(ON_SITE, relay_rested=False), "the relay has rested too little"),
    ],
)
def test_the_first_no_is_the_reason(one: Any, situation: Situation, reason: str) -> None:
    decision = decide(one, situation, a_gate_config())
    assert (decision.reason, decision.opens) == (reason, reason == "welcome")
    assert reason in REASONS


def test_who_does_not_ask_for_an_approach_lets_a_standing_plate_in() -> None:
    assert decide(a_pass(direction="unknown"), ON_SITE, a_gate_config(approach=False)).opens


class Site:
    """A gate with fakes around it."""

    def __init__(self, folder: Path, *, factor: FakeFactor | None = None, dry: bool = False, **keys: object) -> None:
        self.clock, self.factor = FakeClock(), factor
        self.relay = FakeRelay(self.clock)
        self.audit = Audit(folder / "gate.sqlite")
        relay = None if dry else self.relay
        self.gate = Gate(a_gate_config(**keys), self.audit, relay, camera="gate", factor=factor, wall=self.clock.wall)

    def sees(self, *passes: Any, seconds: float = 0.1) -> None:
        self.gate.consider(passes, self.clock.now)
        self.clock.advance(seconds)

    @property
    def told(self) -> list[tuple[str, bool]]:
        return [(row.reason, row.opens) for row in reversed(self.audit.rows())]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    one = Site(tmp_path)
    yield one
    one.gate.close()


def test_a_friend_opens_once_and_the_row_says_who(site: Site) -> None:
    for _ in range(20):
        site.sees(a_pass())
    (row,) = site.audit.rows()
    assert [seconds for _, seconds in site.relay.pulses] == [0.8]
    assert (row.plate, row.list, row.label, row.opens, row.dry_run, row.reason, row.event) == ("AB12CDE", "family", "Anna", True, False, "welcome", "1")
    assert row.at == "2026-11-22T21:00:00.000+00:00"


def test_each_reason_of_a_pass_is_written_once(site: Site) -> None:
    """It comes nearer while the looks grow more: four answers, four rows, however many frames."""
    for one in (a_pass(agreeing=1), a_pass(in_view_s=0.1), a_pass(direction="unknown"), a_pass(agreeing=1), a_pass()):
        site.sees(one)
        site.sees(one)
    assert [reason for reason, _ in site.told] == ["too few reads agree", "in view too briefly", "does not approach", "welcome"]


def test_of_strangers_and_of_the_ignored_no_plate_is_written(site: Site) -> None:
    site.sees(a_pass("1", match=None), a_pass("2", match=replace(FRIEND, kind="ignore")), a_pass("3", match=replace(FRIEND, kind="deny")))
    rows = {row.event: row for row in site.audit.rows()}
    assert {id: row.plate for id, row in rows.items()} == {"1": "", "2": "", "3": "AB12CDE"}
    assert {id: row.label for id, row in rows.items()} == {"1": "", "2": "", "3": "Anna"}
    assert site.relay.pulses == []


def test_a_cooldown_is_for_the_plate_alone(site: Site) -> None:
    """The friend's second pass waits; the other friend behind does not."""
    other = replace(FRIEND, plate="XY34ZZZ", label="Bob")
    site.sees(a_pass("1"), seconds=5)
    site.sees(a_pass("2"), a_pass("3", "XY34ZZZ", other), seconds=20)
    assert site.told == [("welcome", True), ("opened just now", False), ("welcome", True)]
    site.sees(a_pass("4"))
    assert len(site.relay.pulses) == 3


def test_a_row_that_cannot_be_written_keeps_the_gate_closed(site: Site) -> None:
    """And says so; once the disk is there again, the same car is let in."""
    blocker = sqlite3.connect(site.audit._path, isolation_level=None)
    site.audit._db.execute("PRAGMA busy_timeout = 0")
    blocker.execute("BEGIN EXCLUSIVE")
    site.sees(a_pass())
    assert site.relay.pulses == []
    assert "the gate stays closed" in site.gate.problem()
    blocker.execute("COMMIT")
    blocker.close()
    site.sees(a_pass())
    assert (len(site.relay.pulses), site.gate.problem()) == (1, "")


def test_the_row_stands_before_the_relay_moves(site: Site) -> None:
    seen: list[int] = []
    site.relay.pulse = lambda seconds, event: seen.append(len(site.audit.rows()))  # type: ignore[method-assign]
    site.sees(a_pass())
    assert seen == [1]


def test_a_relay_that_fails_is_written_down(site: Site) -> None:
    def broken(seconds: float, event: str) -> None:
        raise GateError("the wire is cut")

    site.relay.pulse = broken  # type: ignore[method-assign]
    site.sees(a_pass())
    assert site.told == [("welcome", True), ("the relay does not answer", False)]


def test_a_dry_run_decides_and_moves_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path, dry=True)
    site.sees(a_pass())
    (row,) = site.audit.rows()
    assert (row.opens, row.dry_run, site.relay.pulses) == (True, True, [])
    assert site.gate.as_json()["dry_run"] is True
    site.gate.close()


def test_the_second_factor_is_asked_only_for_who_would_be_let_in(tmp_path: Path) -> None:
    factor = FakeFactor(yes=False)
    site = Site(tmp_path, factor=factor)
    site.sees(a_pass("1", match=None), a_pass("2", match=replace(FRIEND, due=False)))
    assert factor.asked == 0
    site.sees(a_pass("3"))
    assert (site.told[-1], factor.asked) == (("no second factor", False), 1)
    factor.yes = True
    site.sees(a_pass("3"))
    assert site.told[-1] == ("welcome", True)
    site.gate.close()
    assert factor.closed


def test_a_closed_gate_does_nothing_any_more(site: Site) -> None:
    site.gate.close()
    site.sees(a_pass())
    assert (site.relay.closed, site.relay.pulses) == (True, [])


def test_what_is_remembered_of_passes_has_a_bound(site: Site) -> None:
    site.gate._audit.add = lambda row: 1  # type: ignore[method-assign]  # the disk is not what is tested
    for number in range(1200):
        site.sees(a_pass(str(number), match=None))
    assert len(site.gate._said) == 500


def test_old_decisions_go(site: Site) -> None:
    site.sees(a_pass())
    site.clock.advance(100 * 86400)
    site.sees(a_pass("2"))
    assert [row.event for row in site.audit.rows()] == ["2"]


def test_an_audit_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "gate.sqlite").write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    with pytest.raises(StoreError, match=r"gate\.sqlite: the gate's decisions cannot be written down"):
        Audit(tmp_path / "gate.sqlite")


def test_the_duty_counts_by_the_minute() -> None:
    """Twelve seconds of a minute: three pulses of four, the fourth when the first has left the minute."""
    duty = Duty(0.2)
    for at in (0.0, 10.0, 20.0):
        assert duty.allows(4.0, at)
        duty.take(4.0, at)
    assert not duty.allows(4.0, 30.0)
    assert not duty.allows(4.0, 59.0)
    assert duty.allows(4.0, 60.0)
    duty.take(4.0, 60.0)
    assert not duty.allows(0.5, 62.0)  # it is on


@pytest.mark.parametrize(("word", "yes"), [("on\n", True), ("1", True), ('"true"', True), ("Home", True), ("off", False), ("", False), ("yes please", False)])
def test_a_word_is_a_yes_or_it_is_a_no(word: str, yes: bool) -> None:
    assert says_yes(word) is yes


def test_a_file_says_yes_as_long_as_it_is_fresh(tmp_path: Path) -> None:
    path, clock = tmp_path / "home", FakeClock(1_000_000.0)
    factor = FileFactor(path, 60.0, clock)
    assert factor.answer() == (False, "the file cannot be read (No such file or directory)")
    path.write_text("on\n")
    os.utime(path, (clock.now, clock.now))
    assert factor.answer()[0]
    clock.advance(61)
    assert factor.answer() == (False, "the file is 61 s old")
    os.utime(path, (clock.now + 500, clock.now + 500))
    assert not factor.answer()[0]  # from the future: the clock cannot be believed
    assert FileFactor(path, 0.0, clock).answer()[0]
    path.write_bytes(b"\xff\xfe")
    assert not FileFactor(path, 0.0, clock).answer()[0]


class Door(http.server.BaseHTTPRequestHandler):
    word = "on"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.word.encode())

    def log_message(self, *_: object) -> None:
        pass


def test_an_address_says_yes_while_its_answer_is_fresh() -> None:
    """Asked in the background: the first answer is a no, since nobody waits; one that is gone is a no."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    clock = FakeClock()
    factor = HttpFactor(f"http://127.0.0.1:{server.server_port}/", clock=clock)
    try:
        assert factor.answer() == (False, "it was asked and has not answered yet")
        assert settled(lambda: factor.answer()[0])
        clock.advance(5)
        assert not factor.answer()[0]
        assert settled(lambda: factor.answer()[0])
        Door.word = "off"
        clock.advance(1.5)
        factor.answer()
        assert settled(lambda: factor.answer() == (False, "it says no"))
    finally:
        Door.word = "on"
        server.shutdown()
        server.server_close()
    clock.advance(5)
    factor.answer()
    assert settled(lambda: "cannot be reached" in factor.answer()[1])
    factor.close()


def settled(is_so: Any, within_s: float = 20.0) -> bool:
    """Real threads and processes take their time on a busy machine."""
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        if is_so():
            return True
        time.sleep(0.02)
    return False


def test_the_kind_of_the_second_factor_follows_its_words(tmp_path: Path) -> None:
    assert second_factor(a_gate_config()) is None
    assert isinstance(second_factor(a_gate_config(second_factor="home.txt")), FileFactor)
    assert isinstance(second_factor(a_gate_config(second_factor="http://x/")), HttpFactor)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("enabled = true\ndry_run = false\n", "nothing can open the gate; set gate.gpio or gate.command"),
        ('gpio = 4\ncommand = ["relay"]\n', "both set"),
        ("pulse_s = 9.0\nmax_duty = 0.1\n", "pulse_s 9 is more than gate.max_duty 0.1 allows"),
        ('second_factor = "mqtt://x"\n', "neither a file nor an http"),
        ('send_to = "ftp://x"\n', "neither mqtt:TARGET/topic nor an http"),
        ('gpio = 4\nsend_to = "http://x"\n', "both set"),
        ('second_factor = "mqtt:home"\n', "is no topic"),
        ('second_factor = "mqtt:home/yes"\n', "set gate.second_factor_max_age_s"),
        ('send_secret = "s3cret"\n', "write 'env:NAME' or 'file:PATH'"),
        ("gpio = 40\n", "gate.gpio"),
        ("reads = 1\n", "gate.reads"),
    ],
)
def test_a_gate_that_cannot_work_is_refused(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(f"[gate]\n{text}")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_gate_without_guests_is_refused(tmp_path: Path) -> None:
    config = Config.model_validate({"gate": {"enabled": True, "audit": str(tmp_path / "gate.sqlite")}})
    with pytest.raises(ConfigError, match=r"lists\.allow is empty"):
        make_gate(config, Lists(ListsConfig()))


def test_a_gate_of_a_config_runs_dry_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    """From the file to the decision; trouble with the lists closes it."""
    guests = tmp_path / "guests.csv"
    guests.write_text("plate\nAB12CDE\n")
    config = Config.model_validate({"lists": {"allow": [str(guests)]}, "gate": {"enabled": True, "audit": str(tmp_path / "gate.sqlite")}})
    lists = Lists(config.lists)
    gate = make_gate(config, lists)
    lists.trouble = "guests.csv, line 2: has no plate"
    gate.consider([a_pass()], 1.0)
    lists.trouble = ""
    gate.consider([a_pass()], 2.0)
    assert (gate.as_json()["dry_run"], gate.opened) == (True, 1)
    gate.close()
    audit = Audit(tmp_path / "gate.sqlite")
    assert [row.reason for row in audit.rows()] == ["welcome", "lists cannot be read"]
    audit.close()


class Device:
    """gpiozero's OutputDevice as far as the gate uses it."""

    def __init__(self, pin: int, active_high: bool) -> None:
        self.words = [f"made {pin} {active_high}"]

    def __getattr__(self, word: str) -> Any:
        return lambda: self.words.append(word)


def test_a_gpio_is_off_before_it_is_given_back() -> None:
    made: list[Device] = []
    pin = GpioPin(17, False, lambda gpio, high: made.append(Device(gpio, high)) or made[0])  # type: ignore[func-returns-value]
    pin.on()
    pin.close()
    assert made[0].words == ["made 17 False", "on", "off", "close"]


def test_a_gpio_that_fails_is_one_sentence() -> None:
    def broken(gpio: int, high: bool) -> Any:
        raise RuntimeError("no such chip")

    with pytest.raises(GateError, match="GPIO 17 cannot be worked"):
        GpioPin(17, True, broken)


def test_without_gpiozero_the_mend_is_told() -> None:
    try:
        import gpiozero  # noqa: F401
    except ImportError:
        with pytest.raises(GateError, match="apt install python3-gpiozero"):
            output_device(17, True)
    else:
        pytest.skip("gpiozero is installed")


def a_program(folder: Path, body: str = "") -> tuple[list[str], Path]:
    """A program that notes its word, and the file where it does."""
    log, program = folder / "words", folder / "relay.sh"
    program.write_text(f"#!/bin/sh\necho $1 >> {log}\n{body}\n")
    program.chmod(0o755)
    return [str(program)], log


def test_a_program_is_told_off_first_and_last(tmp_path: Path) -> None:
    command, log = a_program(tmp_path)
    pin = CommandPin(command)
    pin.on()
    pin.close()
    assert log.read_text().split() == ["off", "on", "off"]


def test_a_program_that_fails_is_one_sentence(tmp_path: Path) -> None:
    command, _ = a_program(tmp_path, "echo no such relay >&2; exit 3")
    with pytest.raises(GateError, match=r"relay\.sh off: ended with 3 \(no such relay\)"):
        CommandPin(command)
    with pytest.raises(GateError, match=r"gone off: cannot be run .*check gate\.command"):
        CommandPin([str(tmp_path / "gone")])


def test_the_hand_ends_a_pulse_by_itself_and_ignores_what_comes_meanwhile() -> None:
    """On a real pipe; the second order comes while the relay is on."""
    source, sink = os.pipe()
    pin, said = FakePin(5, time.monotonic), list[str]()
    thread = threading.Thread(target=serve, args=(pin, source, said.append))
    thread.start()
    os.write(sink, b"pulse 0.2\n")
    assert settled(lambda: "on" in said)
    os.write(sink, b"pulse 9\n")
    assert settled(lambda: said[-1] == "off")
    os.write(sink, b"nonsense\npulse\n")
    os.close(sink)
    thread.join(10)
    os.close(source)
    assert said == ["ready", "on", "off"]
    assert [word for word, _ in pin.told] == ["off", "on", "off", "off"]
    on, off = pin.told[1][1], pin.told[2][1]
    assert 0.15 < off - on < 5.0
    assert (pin.closed, FakePin.held) == (True, set())


def test_when_the_pipe_ends_the_relay_is_off_at_once() -> None:
    source, sink = os.pipe()
    pin, said = FakePin(6, time.monotonic), list[str]()
    thread = threading.Thread(target=serve, args=(pin, source, said.append))
    thread.start()
    os.write(sink, b"pulse 10\n")
    assert settled(lambda: pin.is_on)
    os.close(sink)
    thread.join(5)
    os.close(source)
    assert (pin.is_on, pin.closed) == (False, True)


def test_a_hand_works_a_program_and_leaves_it_off(tmp_path: Path) -> None:
    """Real processes from end to end."""
    command, log = a_program(tmp_path)
    hand = Hand(a_gate_config(gpio=None, command=command))
    hand.pulse(0.2, "1")
    assert settled(lambda: log.read_text().split() == ["off", "on", "off"])
    hand.close()
    assert log.read_text().split() == ["off", "on", "off", "off"]
    assert hand.trouble == ""  # to be closed is no trouble


def test_a_hand_that_died_is_mended(tmp_path: Path) -> None:
    command, log = a_program(tmp_path)
    clock = FakeClock()
    hand = Hand(a_gate_config(gpio=None, command=command), clock)
    hand._process.kill()
    assert settled(lambda: hand.trouble != "")
    with pytest.raises(GateError):
        hand.pulse(1, "1")
    clock.advance(60)
    hand.tend(clock.now)
    assert hand.trouble == ""
    hand.close()
    assert log.read_text().split()[-1] == "off"


def test_a_relay_that_cannot_be_had_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="cannot be run"):
        Hand(a_gate_config(gpio=None, command=[str(tmp_path / "gone")]))


def test_the_relay_goes_off_when_the_daemon_is_killed(tmp_path: Path) -> None:
    """SIGKILL in the middle of a pulse of ten seconds: nothing of the daemon is left to say off, and it is said all the same."""
    command, log = a_program(tmp_path)
    script = (
        "import sys, time, json\nfrom edge.gate.relay import Hand\nfrom edge.gate.settings import GateConfig\n"
        "hand = Hand(GateConfig.model_validate(json.loads(sys.argv[1])))\nhand.pulse(10, '1')\ntime.sleep(60)\n"
    )
    keys = json.dumps({"command": command})
    daemon = subprocess.Popen([sys.executable, "-c", script, keys], cwd=ROOT)
    try:
        assert settled(lambda: log.exists() and log.read_text().split()[-1] == "on")
        began = time.monotonic()
        daemon.send_signal(signal.SIGKILL)
        assert settled(lambda: log.read_text().split()[-1] == "off", within_s=8.0)
        assert time.monotonic() - began < 8.0
    finally:
        daemon.kill()
        daemon.wait()


def test_the_status_tells_what_holds_the_gate_back_without_naming_a_plate(tmp_path: Path) -> None:
    factor = FakeFactor(yes=True)
    with_factor = Gate(a_gate_config(cooldown_s=20, pulse_s=2.0, max_duty=0.2), Audit(tmp_path / "gate.sqlite"), FakeRelay(), factor=factor)
    told = with_factor.as_json()
    assert (told["duty"], told["cooling"], told["factor"]) == ({"on_s": 0.0, "most_s": 12.0}, 0, None)
    with_factor.consider([a_pass()], 100.0)
    with_factor.consider([], 105.0)
    told = with_factor.as_json()
    assert (told["duty"]["on_s"], told["cooling"], told["factor"]) == (2.0, 1, {"yes": True, "said": "yes"})
    assert "AB12CDE" not in str(told)
    with_factor.consider([], 130.0)
    assert with_factor.as_json()["cooling"] == 0
    with_factor.close()
