"""What costs less in the process of the tests, which has TensorFlow already: conversions, and a few steps of training."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch


@contextmanager
def in_this_process() -> Iterator[None]:
    """Here, `quantize` does in this process what it has done in one of its own; tests/unit/test_convert.py goes that way, too."""
    from convert import quantize
    from convert.methods.recipes import Recipe

    def run(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        folder, scratch, out, variant, method, *win_back = words[3:]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # in a process of its own nobody makes errors of them
            quantize.convert(Path(folder), Path(scratch), Path(out), variant, Recipe(method, tuple(win_back)))
        return subprocess.CompletedProcess(words, 0, "", "")

    with patch.object(quantize, "subprocess", SimpleNamespace(run=run, TimeoutExpired=subprocess.TimeoutExpired)):
        yield


@contextmanager
def eagerly() -> Iterator[None]:
    """Training of a few steps, which costs a fraction of what the compiling of its graph costs; tests/unit/test_training.py has the graph."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)
