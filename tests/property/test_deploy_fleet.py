"""Whatever stands in an inventory or a template: no word becomes an option of ssh, and no value leaves its place in the configuration."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.fleet.crew import in_order, too_many
from deploy.fleet.errors import FleetError
from deploy.fleet.inventory import Device, from_words
from deploy.fleet.ssh import Ssh
from deploy.fleet.template import filled


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not on this machine")
@given(st.text(max_size=30) | st.from_regex(r"-o[A-Za-z]+=.*"))
def test_an_address_that_is_taken_is_one_word_and_no_option(word):
    try:
        [device] = from_words([word])
    except FleetError:
        return
    options = Ssh(device)._words
    assert options[-2:] == ["--", word]
    assert word[0] not in "-@"
    assert not set(word) & set(" \t\n\0$`\"'\\;|&<>()*?")


@given(st.text(max_size=40))
def test_a_value_stays_within_its_quotes(value):
    """Or is refused."""
    try:
        text = filled('[camera]\nname = "$who"\nlast = 1\n', Device("gate", "gate", vars={"who": value}), Path("t"))
    except FleetError:
        return
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # a control character; the check of the whole says so before any device is touched
        assert not value.isprintable()
        return
    assert told["camera"] == {"name": value, "last": 1}


@given(st.lists(st.sampled_from(["", "canary"]), max_size=8), st.integers(0, 9))
def test_every_device_is_in_one_wave(groups, canaries):
    devices = [Device(str(number), str(number), groups=(group,)) for number, group in enumerate(groups)]
    first, rest = in_order(devices, canaries)
    assert sorted(first + rest, key=lambda device: int(device.name)) == devices
    assert len(first) == min(canaries, len(devices))


@given(st.integers(0, 50), st.integers(1, 50), st.floats(0.01, 1))
def test_more_failures_never_let_more_begin(failed, among, stop_at):
    assert too_many(failed + 1, among, stop_at) >= too_many(failed, among, stop_at)
    assert not too_many(0, among, stop_at)
