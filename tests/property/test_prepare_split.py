"""A split keeps together what belongs together, whatever the ties."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from train.data.prepare.split import connected, split

SHARES = st.sampled_from([(0.8, 0.1, 0.1), (0.9, 0.1, 0.0), (1.0, 0.0, 0.0), (0.34, 0.33, 0.33)])


@st.composite
def sets(draw):
    """Ties (a text, a session, the file itself), pairs that look alike, sources."""
    number = draw(st.integers(1, 60))
    numbers = random.Random(draw(st.integers(0, 10**9)))
    texts, sessions = draw(st.sampled_from([(5, 3), (40, 12), (200, 1)]))
    ties = [
        (f"file {place}", f"text {numbers.randrange(texts)}", *([f"session {numbers.randrange(sessions)}"] if numbers.random() < 0.5 else []))
        for place in range(number)
    ]
    pairs = [(numbers.randrange(number), numbers.randrange(number)) for _ in range(draw(st.integers(0, 10)))]
    return ties, pairs, [numbers.choice(["one", "two"]) for _ in range(number)]


@given(sets(), SHARES, st.integers(0, 5))
def test_no_text_no_session_and_no_look_alike_is_on_two_sides(found, shares, seed):
    ties, pairs, strata = found
    done = split(ties, pairs, strata, shares, seed)
    sides: dict[str, set[int]] = {}
    for names, side in zip(ties, done.side, strict=True):
        for name in names:
            sides.setdefault(name, set()).add(side)
    assert all(len(own) == 1 for own in sides.values())
    assert all(done.side[a] == done.side[b] for a, b in pairs)
    assert all(shares[side] > 0 for side in done.side)
    assert sorted(place for group in done.groups for place in group) == list(range(len(ties)))


@given(sets(), st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(found, seed, shuffler):
    ties, pairs, strata = found
    order = list(range(len(ties)))
    shuffler.shuffle(order)
    back = {old: new for new, old in enumerate(order)}
    one = split(ties, pairs, strata, (0.8, 0.1, 0.1), seed)
    other = split([ties[i] for i in order], [(back[a], back[b]) for a, b in pairs], [strata[i] for i in order], (0.8, 0.1, 0.1), seed)
    assert [other.side[back[place]] for place in range(len(ties))] == list(one.side)


@given(st.integers(30, 300), st.integers(1, 4), st.integers(0, 9))
def test_where_groups_are_small_the_shares_come_out_as_asked(number, size, seed):
    """Off by one group at most."""
    ties = [(f"text {place // size}",) for place in range(number)]
    done = split(ties, [], ["one"] * number, (0.8, 0.1, 0.1), seed)
    for count, share in zip(done.counts(), (0.8, 0.1, 0.1), strict=True):
        assert abs(count - share * number) <= size


def test_another_seed_is_another_split():
    ties = [(f"file {place}",) for place in range(200)]
    one, other = (split(ties, [], ["one"] * 200, (0.5, 0.5, 0.0), seed).side for seed in (1, 2))
    assert 50 < sum(a != b for a, b in zip(one, other, strict=True)) < 150


def test_every_source_has_its_own_shares():
    """A small one is not lost among a large one."""
    ties = [(f"file {place}",) for place in range(110)]
    done = split(ties, [], ["large"] * 100 + ["small"] * 10, (0.8, 0.1, 0.1), 1)
    assert Counter(done.side[100:]) == {0: 8, 1: 1, 2: 1}


def test_groups_are_what_is_connected_by_any_chain():
    groups = connected([("a",), ("a", "b"), ("b",), ("c",), ("d",)], [(3, 4)])
    assert sorted(map(sorted, groups)) == [[0, 1, 2], [3, 4]]


def test_a_chain_of_thousands_is_no_trouble():
    """No recursion."""
    number = 20_000
    order = list(range(number - 1))
    random.Random(1).shuffle(order)
    assert len(connected([()] * number, [(place, place + 1) for place in order])) == 1
