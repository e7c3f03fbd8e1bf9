"""One whole life with real power cuts: a first start on ext4, the plug pulled, to its good end. See docs/powercuts.md for many."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from tests import nspawn
from tests.powercuts.course import FIRST

pytestmark = pytest.mark.skipif(bool(nspawn.obstacle()), reason=nspawn.obstacle())


def test_a_first_start_whose_power_is_cut_comes_to_its_end(tmp_path):
    """Releases, cards and the uncut course are made in a folder of their own: about five minutes."""
    out, folder = tmp_path / "cuts.json", nspawn.CACHE / "powercuts-test"
    words = [sys.executable, "-m", "tests.powercuts", "--lives", "1", "--only", "first", "--fresh", "--folder", str(folder), "--out", str(out)]
    done = subprocess.run(words, cwd=nspawn.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(out.read_bytes())
    assert told["lives"][0]["kind"] == FIRST
    assert told["lives"][0]["cuts"]
    assert told["lives"][0]["wrong"] == ""
    shutil.rmtree(folder)  # where it failed, the card is there to be looked at
