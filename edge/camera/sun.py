"""Where the sun stands, by the equations of NOAA's solar calculator: good to a minute or two between the polar circles."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import acos, asin, cos, degrees, radians, sin, tan

HORIZON_DEG = -0.833
"""The sun's centre at sunrise: half its disc and the bending of its light by the air."""
EPOCH = datetime(2000, 1, 1, 12, tzinfo=UTC)


def _declination_and_equation(moment: datetime) -> tuple[float, float]:
    """The sun's declination (degrees) and the equation of time (minutes: how much a sundial is ahead of a clock)."""
    century = (moment - EPOCH).total_seconds() / 86400 / 36525
    longitude = (280.46646 + century * (36000.76983 + 0.0003032 * century)) % 360
    anomaly = radians(357.52911 + century * (35999.05029 - 0.0001537 * century))
    eccentricity = 0.016708634 - century * (0.000042037 + 0.0000001267 * century)
    centre = (
        sin(anomaly) * (1.914602 - century * (0.004817 + 0.000014 * century)) + sin(2 * anomaly) * (0.019993 - 0.000101 * century) + sin(3 * anomaly) * 0.000289
    )
    node = radians(125.04 - 1934.136 * century)
    apparent = radians(longitude + centre - 0.00569 - 0.00478 * sin(node))
    tilt = 23 + (26 + (21.448 - century * (46.815 + century * (0.00059 - century * 0.001813))) / 60) / 60
    oblique = radians(tilt + 0.00256 * cos(node))
    y, twice = tan(oblique / 2) ** 2, 2 * radians(longitude)
    equation = y * sin(twice) - 2 * eccentricity * sin(anomaly) + 4 * eccentricity * y * sin(anomaly) * cos(twice)
    equation -= 0.5 * y * y * sin(2 * twice) + 1.25 * eccentricity**2 * sin(2 * anomaly)
    return degrees(asin(sin(oblique) * sin(apparent))), 4 * degrees(equation)


def elevation_deg(moment: datetime, latitude: float, longitude: float) -> float:
    """Height of the sun's centre above the horizon, degrees, without the air's bending; `moment` must know its zone."""
    utc = moment.astimezone(UTC)
    declination, equation = _declination_and_equation(utc)
    minutes = utc.hour * 60 + utc.minute + utc.second / 60 + equation + 4 * longitude
    hour_angle = radians(minutes / 4 - 180)
    here, there = radians(latitude), radians(declination)
    return degrees(asin(max(-1.0, min(1.0, sin(here) * sin(there) + cos(here) * cos(there) * cos(hour_angle)))))


def is_up(moment: datetime, latitude: float, longitude: float) -> bool:
    """Between sunrise and sunset."""
    return elevation_deg(moment, latitude, longitude) > HORIZON_DEG


def sunrise_and_sunset(day: date, latitude: float, longitude: float) -> tuple[datetime, datetime] | None:
    """UTC, of the day whose noon by the sun falls on that date there; None where the sun does not rise or set that day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    times = []
    for sign in (-1, 1):
        moment = midnight + timedelta(minutes=720 - 4 * longitude)
        for _ in range(3):  # the sun moves on while we wait for it
            declination, equation = _declination_and_equation(moment)
            here, there = radians(latitude), radians(declination)
            cosine = (sin(radians(HORIZON_DEG)) - sin(here) * sin(there)) / max(1e-9, cos(here) * cos(there))
            if not -1 <= cosine <= 1:
                return None
            noon = midnight + timedelta(minutes=720 - 4 * longitude - equation)
            moment = noon + timedelta(minutes=sign * 4 * degrees(acos(cosine)))
        times.append(moment)
    return times[0], times[1]
