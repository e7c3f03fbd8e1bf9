"""OpenALPR's `alpr_results` (one read) and Rekor Scout's `alpr_group` (one vehicle), as their receivers know them.

What this device cannot know is said in their own empty values: no vehicle, no place on the globe, direction 0.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from edge.publish.told import Told

SITE, TOP_N = "platewatch", 10
UNKNOWN_PLACE = -1.0
VEHICLE = ("color", "make", "make_model", "body_type", "year", "orientation", "missing_plate", "is_vehicle")


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def uuid(told: Told) -> str:
    """`<site>-cam<number>-<epoch ms>`"""
    return f"{SITE}-cam{told.site.camera_id}-{ms(told.last_seen)}"


def _candidate(told: Told) -> dict[str, Any]:
    return {"plate": told.text, "confidence": round(100 * told.confidence, 4), "matches_template": int(bool(told.country))}


def _read(told: Told) -> dict[str, Any]:
    made = _candidate(told) | {
        "plate_index": 0,
        "region": told.country,
        "region_confidence": 0,
        "processing_time_ms": 0.0,
        "requested_topn": TOP_N,
        "coordinates": [{"x": x, "y": y} for x, y in told.corners],
        "candidates": [_candidate(told)],
    }
    if told.picture and not told.picture_file:
        made["plate_crop_jpeg"] = base64.b64encode(told.picture).decode()
    return made


def _marked(told: Told) -> dict[str, Any]:
    return {"test": True} if told.test else {}


def results(told: Told) -> dict[str, Any]:
    """`alpr_results`"""
    return {
        "version": 2,
        "data_type": "alpr_results",
        "epoch_time": ms(told.last_seen),
        "img_width": told.site.width,
        "img_height": told.site.height,
        "processing_time_ms": 0.0,
        "regions_of_interest": [],
        "results": [_read(told)],
        "uuid": uuid(told),
        "camera_id": told.site.camera_id,
        "site_id": SITE,
        "company_id": "",
        "agent_uid": told.site.node,
        "agent_version": told.site.version,
        "agent_type": "platewatch",
        "vehicles": [],
        "error": False,
        "user_data": told.id,
    } | _marked(told)


def group(told: Told) -> dict[str, Any]:
    """`alpr_group`"""
    x0, y0, x1, y1 = told.box
    candidate = _candidate(told)
    return {
        "version": 2,
        "data_type": "alpr_group",
        "epoch_start": ms(told.first_seen),
        "epoch_end": ms(told.last_seen),
        "frame_start": 0,
        "frame_end": 0,
        "company_id": "",
        "agent_uid": told.site.node,
        "agent_version": told.site.version,
        "agent_type": "platewatch",
        "camera_id": told.site.camera_id,
        "gps_latitude": UNKNOWN_PLACE,
        "gps_longitude": UNKNOWN_PLACE,
        "country": told.country,
        "uuids": [uuid(told)],
        "plate_indexes": [0],
        "candidates": [candidate],
        "vehicle_crop_jpeg": "",
        "best_plate": _read(told),
        "best_confidence": candidate["confidence"],
        "best_uuid": uuid(told),
        "best_plate_number": told.text,
        "best_region": told.country,
        "best_region_confidence": 0.0,
        "matches_template": bool(told.country),
        "plate_path": [{"x": x0, "y": y0, "w": x1 - x0, "h": y1 - y0, "t": ms(told.last_seen), "f": 0}],
        "best_image_width": told.site.width,
        "best_image_height": told.site.height,
        "travel_direction": 0.0,
        "is_parked": False,
        "is_preview": told.stage == "preview",
        "vehicle": {part: [] for part in VEHICLE},
        "vehicle_signature": "",
        "web_server_config": {"camera_label": told.camera, "agent_label": told.site.node},
        "direction_of_travel_id": 0,
        "user_data": told.id,
    } | _marked(told)
