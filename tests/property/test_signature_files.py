"""Files of minisign's kind, read from hands that nobody knows."""

from __future__ import annotations

import contextlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.onboard.errors import OnboardError
from deploy.onboard.signature import PublicKey, Signature, parse_signature, parse_trusted

calm = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
"""The same examples each time, and no clock."""
comments = st.text(st.characters(codec="utf-8").filter(lambda char: char.isprintable() or char == "\t"), max_size=200)
signatures = st.builds(Signature, st.binary(min_size=8, max_size=8), st.binary(min_size=64, max_size=64), comments, st.binary(min_size=64, max_size=64))
public = st.builds(PublicKey, st.binary(min_size=8, max_size=8), st.binary(min_size=32, max_size=32))


@calm
@given(signatures)
def test_what_is_written_is_read_again_with_either_end_of_line(signed):
    assert parse_signature(signed.text.encode()) == signed
    assert parse_signature(signed.text.replace("\n", "\r\n").encode()) == signed
    assert parse_signature(signed.text.rstrip("\n").encode()) == signed


@calm
@given(st.lists(public, min_size=1, max_size=4))
def test_trusted_keys_are_read_again_in_their_order(keys):
    text = "".join(f"untrusted comment: minisign public key {key.name}\n{key.line}\n" for key in keys)
    assert parse_trusted(text.encode()) == keys


@calm
@given(st.one_of(st.binary(max_size=400), st.text(max_size=400).map(str.encode)))
def test_anything_else_is_refused_in_words(raw):
    """Never another error, whatever the bytes."""
    for parse in (parse_signature, parse_trusted):
        with contextlib.suppress(OnboardError):
            parse(raw)


@calm
@given(signatures, st.data())
def test_a_changed_byte_of_the_lines_that_count_is_refused_or_another_signature(signed, data):
    """One spelling for one value: no two files carry the same signature but for their untrusted comment."""
    raw = signed.text.encode()
    start = raw.index(b"\n") + 1
    at = data.draw(st.integers(start, len(raw) - 2))  # the last end of line may be any
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[at]))
    try:
        found = parse_signature(raw[:at] + bytes([other]) + raw[at + 1 :])
    except OnboardError:
        return
    assert found != signed
