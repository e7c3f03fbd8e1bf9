"""What holds for every calibration method and every tensor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

pytest.importorskip("tensorflow", reason="the training side is not installed; ./setup.sh test installs it")

from convert.methods.ranges import METHODS, min_max, mse, squared_error
from convert.methods.taps import Histogram

TENSORS = arrays(np.float32, st.integers(1, 200), elements=st.floats(-1000, 1000, width=32))


def counted(values):
    histogram = Histogram.over(float(min(values.min(), 0)), float(max(values.max(), 0)))
    histogram.add(values)
    return histogram


@pytest.mark.parametrize("name", METHODS)
@given(values=TENSORS)
def test_a_range_holds_0_and_never_reaches_beyond_what_occurred(name, values):
    low, high = METHODS[name](counted(values))
    assert min(values.min(), 0) - 1e-3 <= low <= 0 <= high <= max(values.max(), 0) + 1e-3
    assert high > low or not values.any()


@given(values=TENSORS)
def test_no_range_has_less_expected_error_by_mse_than_its_own(values):
    histogram = counted(values)
    if values.any():
        assert squared_error(histogram, *mse(histogram)) <= squared_error(histogram, *min_max(histogram)) * (1 + 1e-9)
