"""On the processors of the boards, emulated: the same bytes as everywhere, and no more instructions than the budgets allow.

Skipped, with the reason, where QEMU is not installed or its arm64 system was never made (that needs the network; `python -m convert cost` makes it).
What was measured is kept until the code or a model changes, so that only the first run takes minutes.
"""

from __future__ import annotations

import shutil

import pytest

from convert.cost import budgets, emulator, tools, userland
from convert.cost.cpus import CPUS
from convert.cost.measure import Bench
from edge.model.manifest import MODEL_FILE, SHIPPED

A72 = CPUS["cortex-a72"]
BUNDLES = [SHIPPED / kind for kind in ("detector", "reader")]


@pytest.fixture(scope="module")
def board() -> Bench:
    """What needs no counter."""
    if why := tools.missing(counting=False):
        pytest.skip(why)
    if not userland.is_made(tools.default_cache()):
        pytest.skip("the arm64 system for these versions is not made yet: python -m convert cost --golden")
    return Bench(counting=False)


@pytest.fixture(scope="module")
def bench(board) -> Bench:
    if why := tools.missing():
        pytest.skip(why)
    return Bench()


@pytest.mark.parametrize("cpu", CPUS.values(), ids=CPUS)
def test_every_board_computes_what_was_measured_bit_for_bit(board, cpu):
    """Through XNNPACK, which the graph shows at work."""
    assert [(one["state"], one["delegated"]) for one in board.goldens(BUNDLES, cpu)] == [("exact", True)] * 2


def test_a_board_whose_sys_cannot_be_read_falls_back_and_is_recognised(board, tmp_path):
    """The runtime says nothing of it; its outputs are those of the builtin kernels, and the self-test names the cause."""
    face = shutil.copytree(board.system.face(A72), tmp_path / A72.name, symlinks=True)
    for name in ("usr", "lib", "etc"):
        (face / name).unlink()
        (face / name).symlink_to(board.system.root / name)
    for name in ("possible", "present"):
        (face / "sys/devices/system/cpu" / name).write_text("")
    ran = emulator.run(board.system, A72, ["golden", *map(str, BUNDLES)], face=face)
    assert [(one["state"], one["delegated"]) for one in ran.answer.values()] == [("xnnpack off", False)] * 2


def test_counting_again_gives_the_same_to_a_hundred_thousandth(bench):
    """So a budget may be as tight as one likes."""
    file = str(SHIPPED / "reader" / MODEL_FILE)
    counts = [emulator.run(bench.system, A72, ["network", file], bench.counter).costs["invoke"] for _ in range(2)]
    assert counts[1] == pytest.approx(counts[0], rel=1e-5)


@pytest.mark.parametrize("kind", ["detector", "reader"])
@pytest.mark.parametrize("cpu", CPUS.values(), ids=CPUS)
def test_a_network_keeps_its_budget(bench, cpu, kind):
    cost = bench.network(f"{kind} network", SHIPPED / kind / MODEL_FILE, cpu)
    verdict = budgets.judge(cost, budgets.read())
    assert verdict.state != "none", f"the shipped {kind} has no budget here; if it is meant to ship: python -m convert cost --update-budgets"
    assert verdict.state in ("kept", "under"), f"{cost.what} costs {verdict.words} than its budget on {cpu.board}"


def test_a_frame_keeps_its_budget_on_a_pi_4(bench):
    """`platewatch read` on a picture, and the daemon's frame without and with a plate."""
    for cost in bench.frames(*BUNDLES, A72):
        verdict = budgets.judge(cost, budgets.read())
        assert verdict.state != "none", f"{cost.what} has no budget for {cost.versions}; if these are meant: python -m convert cost --update-budgets"
        assert verdict.state in ("kept", "under"), f"{cost.what} costs {verdict.words} than its budget"
