"""Whatever stands on a card: what was there stays, and what is damaged is a sentence."""

from __future__ import annotations

import contextlib
import io
import lzma
import subprocess
import tomllib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.card.errors import CardError
from deploy.card.merge import cmdline, firstrun
from deploy.card.merge.cloudinit import COMMAND, NET, network_config, user_data
from deploy.card.merge.merged import LATER, START, NotMerged
from deploy.card.merge.preseed import preseed
from deploy.card.partitions import boot_partition
from deploy.card.plan import masked
from deploy.card.xz import Xz, xz_size
from deploy.card.yaml_text import quoted, without_marked
from deploy.device.settings import Wifi
from tests.cards import SETTINGS

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=12)
PRINTABLE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(str.isprintable)
SCALARS = WORDS | st.booleans() | st.integers() | st.text("a#:-'\"[]{}|>&*!% \n", max_size=10)
VALUES = st.recursive(SCALARS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(WORDS, inside, max_size=3), max_leaves=6)
LISTS = ("bootcmd", "runcmd", "users")
COMMANDS = st.lists(st.lists(WORDS, min_size=1, max_size=3) | WORDS, min_size=1, max_size=4)
USERS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["anna", "pi"])}, optional={"passwd": WORDS, "ssh_authorized_keys": st.lists(WORDS)}), max_size=2
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "hostname": st.sampled_from(["porch", "gate"]),
        "runcmd": COMMANDS,
        "users": USERS,
        "write_files": VALUES,
        "bootcmd": COMMANDS | VALUES,
        "x y": VALUES,
        "final": VALUES,
    },
)


def dumped(document, width, indent, flow):
    return "#cloud-config\n" + (
        yaml.safe_dump(document, width=width, indent=indent, default_flow_style=flow, sort_keys=False, allow_unicode=True) if document else ""
    )


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, st.sampled_from([20, 80, 1000]), st.sampled_from([2, 4]), st.sampled_from([None, False]), st.booleans())
def test_of_any_user_data_everything_stays_and_the_kit_comes_last(document, width, indent, flow, windows):
    text = dumped(document, width, indent, flow)
    before = text.replace("\n", "\r\n") if windows else text
    try:
        after = user_data(before.encode(), SETTINGS).content
    except NotMerged:
        assert windows or any(sign in text for sign in "[]{}|>&*\"'?:")  # plain lists and words are never refused
        return
    was, told = yaml.safe_load(before) or {}, yaml.safe_load(after)
    for key, value in was.items():
        if key in LISTS:
            assert told[key][: len(value or [])] == (value or [])
        else:
            assert told[key] == value
    assert told["runcmd"][-1] == ["sh", START]
    assert LATER in told["bootcmd"][-1][-1]
    assert told["users"][-1]["name"] == "owner"
    assert user_data(after, SETTINGS).content == after


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS.filter(lambda document: "runcmd" not in document or document["runcmd"]))
def test_what_was_added_can_be_taken_out_again_and_the_file_is_what_it_was(document):
    before = dumped(document, 80, 2, False)
    try:
        after = user_data(before.encode(), SETTINGS).content.decode()
    except NotMerged:
        return
    if all(f"- {command}" in after for command in (COMMAND, NET)):  # a list on one line has no room for marks
        assert "\n".join(without_marked(after.split("\n"))).rstrip("\n") == before.rstrip("\n")


# As files are built, line by line: much of it is no YAML, and much is, in a form of its own.
LINES = (
    "runcmd:",
    "- a",
    "- a: b",
    "  - b",
    "users:",
    "- name: x",
    "  k: v",
    "key: |",
    "key2: |+",
    "  runcmd:",
    "    text",
    "  # c",
    "# c",
    "",
    "runcmd: [a,",
    "  b]",
    "]",
)
LINES += (
    "k3: 'x",
    "  y'",
    'k4: "x',
    '  runcmd: y"',
    "runcmd: []",
    "bootcmd:",
    "bootcmd: [c, [d]]",
    "hostname: x # c",
    "- |",
    "---",
    "...",
    "ssh_pwauth: false",
    "user: x",
    "user:",
    "  name: owner",
    "k5: x",
    "  z",
)
RUBBISH = st.text(st.sampled_from("ab:-#'\"[]{} \n\t|>&"), max_size=60) | st.lists(st.sampled_from(LINES), max_size=12).map("\n".join)


@settings(max_examples=200, deadline=None)
@given(RUBBISH)
def test_rubbish_is_merged_rightly_or_refused(rubbish):
    try:
        after = user_data(f"#cloud-config\n{rubbish}\n".encode(), SETTINGS).content
    except NotMerged:
        return
    try:
        was = yaml.safe_load(rubbish + "\n") or {}
    except yaml.YAMLError:
        return  # it was none before
    told = yaml.safe_load(after)
    assert told["runcmd"][-1] == ["sh", START]
    assert LATER in told["bootcmd"][-1][-1]
    for key, value in was.items():
        if key in LISTS:
            assert told[key][: len(value or [])] == (value or [])
        elif key != "ssh_pwauth":
            assert told[key] == value


@settings(max_examples=100, deadline=None)
@given(PRINTABLE)
def test_any_word_comes_back_from_its_quotes(word):
    assert yaml.safe_load(quoted(word)) == word


@settings(max_examples=60, deadline=None)
@given(PRINTABLE, PRINTABLE, st.dictionaries(WORDS.filter(bool), st.fixed_dictionaries({"password": WORDS}), max_size=3), st.sampled_from([2, 4]))
def test_any_network_is_added_to_any_others(ssid, key, others, indent):
    wifi = Wifi(ssid, key, "DE")
    there = {"network": {"version": 2, "ethernets": {"eth0": {"dhcp4": True}}}}
    if others:
        there["network"]["wifis"] = {"wlan0": {"optional": True, "access-points": others}}
    before = yaml.safe_dump(there, indent=indent, allow_unicode=True, default_flow_style=False)
    try:
        after = network_config(before.encode(), wifi).content
    except NotMerged:
        assert any(
            set(name) & set("\"'#:&*!|>%@`[]{},?-\\ ") or name != name.strip() or not name.isprintable() or len(name) > 6 or not name.isascii()
            for name in others
        )
        return
    points = yaml.safe_load(after)["network"]["wifis"]["wlan0"]["access-points"]
    assert {name: points[name] for name in others} == others
    assert ssid in others or points[ssid] == {"password": key}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PRINTABLE, PRINTABLE)
def test_any_network_reaches_the_shell_as_it_is(ssid, key):
    lines = [line for line in firstrun.script(None, replace(SETTINGS, wifi=Wifi(ssid, key, "DE"))).content.decode().splitlines() if "set_wlan" in line]
    call = lines[0].replace(firstrun.IMAGER, "printf '%s\\n'")
    assert subprocess.run(["sh", "-c", call], capture_output=True, check=True).stdout.decode().splitlines()[-3:] == [ssid, key, "DE"]


@settings(max_examples=60, deadline=None)
@given(PRINTABLE, PRINTABLE)
def test_any_network_stands_in_the_preseed_on_one_line(ssid, key):
    text = preseed(None, replace(SETTINGS, wifi=Wifi(ssid, key, "DE"))).content.decode()
    assert tomllib.loads(text)["wlan"]["ssid"] == ssid
    assert sum("ssid = " in line for line in text.splitlines()) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.lists(st.integers(0, 3), min_size=4, max_size=4), st.integers(1, 5000))
def test_xz_of_any_streams_and_padding_is_read_whole_and_its_size_is_known(parts, padding, amount):
    raw = b"".join(lzma.compress(part, preset=0) + bytes(4 * pad) for part, pad in zip(parts, padding, strict=False))
    assert xz_size(io.BytesIO(raw), len(raw)) == sum(map(len, parts))
    stream, got = Xz(io.BytesIO(raw)), b""
    while more := stream.read(amount):
        assert len(more) <= amount
        got += more
    assert got == b"".join(parts)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=3000), st.data())
def test_xz_that_was_cut_anywhere_is_noticed(content, data):
    raw = lzma.compress(content, preset=0)
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    stream = Xz(io.BytesIO(cut))
    with pytest.raises((EOFError, lzma.LZMAError)):
        list(iter(lambda: stream.read(1000), b""))
    assert xz_size(io.BytesIO(cut), len(cut)) is None


@given(st.binary(max_size=600))
def test_any_first_sector_is_a_partition_or_a_sentence(sector):
    for raw in (sector, sector[:510].ljust(510, b"\0") + b"\x55\xaa"):
        with contextlib.suppress(CardError):
            assert boot_partition(raw, "x").start > 0


@given(
    st.lists(st.sampled_from(["a=1", "b", "c=2", "systemd.run=/boot/firmware/firstrun.sh"]), min_size=1),
    st.lists(st.sampled_from(["a=2", "d", "e=3"]), unique=True),
)
def test_the_command_line_stays_one_line_and_no_word_is_lost(there, added):
    after = cmdline.with_words((" ".join(there) + "\n").encode(), added).content.decode()
    assert after.count("\n") == 1
    assert [word for word in after.split() if word in there] == there
    _, found, behind = after.partition("systemd.run=")
    assert not (found and set(behind.split()) & set(added))  # Imager's own script takes away all that stands from there on
    assert {word.partition("=")[0] for word in after.split()} == {word.partition("=")[0] for word in (*there, *added)}


@given(st.lists(st.text("abc$/.", min_size=4, max_size=20), min_size=1, max_size=3), st.text("abc$/. \n", max_size=100))
def test_no_secret_is_ever_shown(secrets, around):
    text = around + "\n".join(f"x {secret} y" for secret in secrets)
    assert not any(secret in masked(text, tuple(secrets)) for secret in secrets)
