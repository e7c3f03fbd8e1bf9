"""Sunrise and sunset against published times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.sun import elevation_deg, is_up, sunrise_and_sunset


@pytest.mark.parametrize(
    ("day", "latitude", "longitude", "rise", "fall"),
    [
        (date(2024, 6, 20), 51.5074, -0.1278, "2024-06-20T03:43", "2024-06-20T20:21"),  # London
        (date(2024, 12, 21), 51.5074, -0.1278, "2024-12-21T08:04", "2024-12-21T15:53"),
        (date(2024, 6, 20), 40.7128, -74.006, "2024-06-20T09:25", "2024-06-21T00:31"),  # New York
        (date(2024, 12, 21), -33.8688, 151.2093, "2024-12-20T18:41", "2024-12-21T09:05"),  # Sydney
        (date(2024, 3, 20), 0.0, 0.0, "2024-03-20T06:04", "2024-03-20T18:11"),
    ],
)
def test_the_sun_rises_and_sets_when_the_almanac_says(day: date, latitude: float, longitude: float, rise: str, fall: str) -> None:
    """Within two minutes, UTC."""
    found = sunrise_and_sunset(day, latitude, longitude)
    assert found is not None
    for moment, said in zip(found, (rise, fall), strict=True):
        assert abs(moment - datetime.fromisoformat(said + "+00:00")) <= timedelta(minutes=2), moment


def test_beyond_the_polar_circle_there_are_days_without_either() -> None:
    """Tromsø: no sunset at midsummer, no sunrise at midwinter; and the sun is where it should be."""
    assert sunrise_and_sunset(date(2024, 6, 20), 69.65, 18.96) is None
    assert sunrise_and_sunset(date(2024, 12, 21), 69.65, 18.96) is None
    assert is_up(datetime(2024, 6, 20, 23, tzinfo=UTC), 69.65, 18.96)
    assert not is_up(datetime(2024, 12, 21, 11, tzinfo=UTC), 69.65, 18.96)


def test_at_noon_of_midsummer_it_stands_over_the_tropic() -> None:
    assert elevation_deg(datetime(2024, 6, 20, 12, 2, tzinfo=UTC), 23.44, 0.0) == pytest.approx(90, abs=0.3)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.floats(-60, 60), st.floats(-180, 180))
def test_it_is_up_between_rise_and_fall(day: date, latitude: float, longitude: float) -> None:
    """Two computations, one by elevation and one by the hour angle, agree."""
    found = sunrise_and_sunset(day, latitude, longitude)
    assert found is not None
    rise, fall = found
    for moment, up in ((rise - timedelta(minutes=2), False), (rise + timedelta(minutes=2), True), (fall - timedelta(minutes=2), True)):
        assert is_up(moment, latitude, longitude) is up
    assert not is_up(fall + timedelta(minutes=2), latitude, longitude)
