"""A release archive in the hands of chance."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.onboard.errors import OnboardError
from deploy.onboard.tarball import members, parse
from tests.releases import release

calm = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
"""The same examples each time, and no clock."""
with TemporaryDirectory() as folder:
    RAW = release(Path(folder)).read_bytes()


def told(raw):
    """release.json as it was believed, and every file that came out."""
    found = [(about, name, b"".join(contents)) for about, name, contents in members(io.BytesIO(raw), "a.tar")]
    return found[0][0], {name: contents for _, name, contents in found}


WHOLE = told(RAW)


@calm
@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_stands_in_release_json(at, flip):
    """No file ever comes out changed; who changes what release.json says of itself is caught by the signature."""
    changed = bytearray(RAW)
    changed[at] ^= flip
    try:
        about, files = told(bytes(changed))
    except OnboardError:
        return
    assert files == WHOLE[1]
    assert about != WHOLE[0]


@calm
@given(st.integers(0, len(RAW) - 1))
def test_no_beginning_of_it_is_taken_for_the_whole(end):
    with contextlib.suppress(OnboardError):
        told(RAW[:end])
        raise AssertionError("believed")


@calm
@given(st.binary(min_size=1, max_size=2000))
def test_nothing_may_follow_it(more):
    with contextlib.suppress(OnboardError):
        told(RAW + more)
        raise AssertionError("believed")


@calm
@given(st.one_of(st.binary(max_size=2000), st.integers(0, len(RAW)).flatmap(lambda at: st.binary(max_size=600).map(lambda raw: RAW[:at] + raw))))
def test_anything_else_is_refused_in_words(raw):
    if raw != RAW:
        with contextlib.suppress(OnboardError):
            told(raw)
            raise AssertionError("believed")


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
json_values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4))


@calm
@given(st.dictionaries(st.sampled_from(["kind", "id", "version", "serial", "commit", "machine", "pythons", "files", "model", "x"]), json_values))
def test_a_release_json_of_any_values_is_refused_in_words(values):
    """Types and depths that nobody thought of."""
    import json

    base = json.loads(WHOLE[0].text)
    with contextlib.suppress(OnboardError):
        parse((json.dumps(base | values, indent=1, sort_keys=True) + "\n").encode(), "a.tar")
