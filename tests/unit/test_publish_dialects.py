"""One event in every dialect, against examples written by hand from those dialects' own descriptions."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest

from edge.publish.dialects import DIALECTS, fast_plate_ocr, frigate, homeassistant, native, openalpr, platerecognizer
from edge.publish.told import Site, Told
from edge.records import Match, Rule
from tests.builders import an_event

SITE = Site("Gate", "gate-1a2b3c", "0.2.0", 1920, 1080, 7)
EPOCH_MS = 1795381201000  # 2026-11-22T21:00:01Z
KNOWN = Match("family", "allow", "AB12CDE", "Anna's car", "home")


def told(picture: bytes = b"", picture_file: str = "", test: bool = False, **changes: Any) -> Told:
    event = an_event("0123456789abcdef", **({"country": "gb", "direction": "approaching"} | changes))
    return Told(json.loads(json.dumps(event.as_json())), SITE, picture, picture_file, "home", test)


READ = {
    "plate": "AB12CDE",
    "confidence": 90.0,
    "matches_template": 1,
    "plate_index": 0,
    "region": "gb",
    "region_confidence": 0,
    "processing_time_ms": 0.0,
    "requested_topn": 10,
    "coordinates": [{"x": 10, "y": 20}, {"x": 110, "y": 20}, {"x": 110, "y": 45}, {"x": 10, "y": 45}],
    "candidates": [{"plate": "AB12CDE", "confidence": 90.0, "matches_template": 1}],
}


def test_alpr_results() -> None:
    """OpenALPR's frame result as its daemon sends it, with Scout's additions."""
    assert openalpr.results(told()) == {
        "version": 2,
        "data_type": "alpr_results",
        "epoch_time": EPOCH_MS,
        "img_width": 1920,
        "img_height": 1080,
        "processing_time_ms": 0.0,
        "regions_of_interest": [],
        "results": [READ],
        "uuid": f"platewatch-cam7-{EPOCH_MS}",
        "camera_id": 7,
        "site_id": "platewatch",
        "company_id": "",
        "agent_uid": "gate-1a2b3c",
        "agent_version": "0.2.0",
        "agent_type": "platewatch",
        "vehicles": [],
        "error": False,
        "user_data": "0123456789abcdef",
    }


def test_alpr_group() -> None:
    """Rekor Scout's group: one vehicle, its best plate, no vehicle facts that nobody measured."""
    said = openalpr.group(told(b"crop", preview=True))
    assert said == {
        "version": 2,
        "data_type": "alpr_group",
        "epoch_start": EPOCH_MS - 1000,
        "epoch_end": EPOCH_MS,
        "frame_start": 0,
        "frame_end": 0,
        "company_id": "",
        "agent_uid": "gate-1a2b3c",
        "agent_version": "0.2.0",
        "agent_type": "platewatch",
        "camera_id": 7,
        "gps_latitude": -1.0,
        "gps_longitude": -1.0,
        "country": "gb",
        "uuids": [f"platewatch-cam7-{EPOCH_MS}"],
        "plate_indexes": [0],
        "candidates": [{"plate": "AB12CDE", "confidence": 90.0, "matches_template": 1}],
        "vehicle_crop_jpeg": "",
        "best_plate": READ | {"plate_crop_jpeg": base64.b64encode(b"crop").decode()},
        "best_confidence": 90.0,
        "best_uuid": f"platewatch-cam7-{EPOCH_MS}",
        "best_plate_number": "AB12CDE",
        "best_region": "gb",
        "best_region_confidence": 0.0,
        "matches_template": True,
        "plate_path": [{"x": 10, "y": 20, "w": 100, "h": 25, "t": EPOCH_MS, "f": 0}],
        "best_image_width": 1920,
        "best_image_height": 1080,
        "travel_direction": 0.0,
        "is_parked": False,
        "is_preview": True,
        "vehicle": {"color": [], "make": [], "make_model": [], "body_type": [], "year": [], "orientation": [], "missing_plate": [], "is_vehicle": []},
        "vehicle_signature": "",
        "web_server_config": {"camera_label": "gate", "agent_label": "gate-1a2b3c"},
        "direction_of_travel_id": 0,
        "user_data": "0123456789abcdef",
    }


def test_plate_recognizer() -> None:
    """Its webhook: the plate in small letters, UTC with a Z, confidences 0..1."""
    assert platerecognizer.document(told()) == {
        "hook": {"target": "home", "id": "gate", "event": "recognition", "filename": "gate_20261122T210001_0123456789ab.jpg"},
        "data": {
            "camera_id": "gate",
            "filename": "gate_20261122T210001_0123456789ab.jpg",
            "timestamp": "2026-11-22T21:00:01.000000Z",
            "timestamp_local": "2026-11-22T21:00:01.000000+00:00",
            "results": [
                {
                    "box": {"xmin": 10, "ymin": 20, "xmax": 110, "ymax": 45},
                    "plate": "ab12cde",
                    "region": {"code": "gb", "score": 0.0},
                    "score": 0.9,
                    "candidates": [{"plate": "ab12cde", "score": 0.9}],
                    "dscore": 0.8,
                    "vehicle": {"score": 0.0, "type": "Unknown", "box": {"xmin": 0, "ymin": 0, "xmax": 0, "ymax": 0}},
                    "model_make": [],
                    "color": [],
                    "orientation": [],
                    "direction": "",
                    "source_url": "",
                    "position_sec": "",
                }
            ],
        },
    }


def test_frigate() -> None:
    """`tracked_object_update`; the id is the same for a preview and its event."""
    said = frigate.document(told(match=KNOWN))
    assert said == {
        "type": "lpr",
        "id": "1795381200.000000-012345",
        "name": "Anna's car",
        "plate": "AB12CDE",
        "score": 0.9,
        "camera": "gate",
        "timestamp": 1795381201.0,
        "plate_box": [10, 20, 110, 45],
    }
    assert frigate.document(told())["name"] is None
    assert frigate.object_id(told(preview=True, last_seen="2026-11-22T21:00:00.500+00:00")) == said["id"]


def test_fast_plate_ocr() -> None:
    """`image_path,plate_text`, nothing else."""
    assert list(fast_plate_ocr.row(told(picture_file="crops/1.jpg")).items()) == [("image_path", "crops/1.jpg"), ("plate_text", "AB12CDE")]


def test_native_is_the_stored_event_and_its_stage() -> None:
    event = an_event("0123456789abcdef", country="gb", direction="approaching")
    assert native.document(told()) == event.as_json() | {"stage": "final"}
    assert native.document(told(b"crop"))["picture_jpeg"] == base64.b64encode(b"crop").decode()
    assert native.document(told(b"crop", "/crops/1.jpg"))["picture_file"] == "/crops/1.jpg"
    assert "picture_jpeg" not in native.document(told(b"crop", "/crops/1.jpg"))


def test_home_assistant_fires_shows_and_wakes_the_sensor_of_a_known_plate() -> None:
    """The event is not retained, what should survive a restart over there is; a raw picture has a topic of its own."""
    messages = homeassistant.messages(told(b"crop", match=KNOWN), "platewatch/gate")
    assert [(message.topic, message.retain) for message in messages] == [
        ("platewatch/gate/event", False),
        ("platewatch/gate/last_plate", True),
        ("platewatch/gate/picture", True),
        ("platewatch/gate/known/anna-s-car", False),
    ]
    facts = {
        "plate": "AB12CDE",
        "confidence": 0.9,
        "known": "Anna's car",
        "list": "family",
        "due": True,
        "camera": "gate",
        "country": "gb",
        "direction": "approaching",
        "event_time": "2026-11-22T21:00:01+00:00",
        "stage": "final",
        "id": "0123456789abcdef",
    }
    assert json.loads(messages[0].payload) == {"event_type": "known"} | facts
    assert json.loads(messages[1].payload) == facts
    assert (messages[2].payload, messages[3].payload) == (b"crop", b"ON")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "unknown"),
        ({"match": KNOWN}, "known"),
        ({"match": Match("banned", "deny", "AB12CDE")}, "denied"),
        ({"match": Match("me", "ignore", "AB12CDE")}, "unknown"),
        ({"match": KNOWN, "preview": True}, "preview"),
        ({"match": KNOWN, "test": True}, "test"),
    ],
)
def test_what_kind_of_event_home_assistant_hears(changes: dict[str, Any], expected: str) -> None:
    assert homeassistant.event_type(told(**changes)) == expected
    assert expected in homeassistant.EVENT_TYPES


def test_home_assistant_is_told_of_one_device_and_its_entities() -> None:
    """As its device discovery wants it: device and origin at the top alone, each component with its platform and an id of its own."""
    said = homeassistant.discovery(SITE, "platewatch/gate", known=["Anna's car"], gone=["Bob", "Anna's car"], pictures=True)
    assert homeassistant.discovery_topic(SITE, "homeassistant") == "homeassistant/device/gate-1a2b3c/config"
    assert said["dev"] == {"ids": ["gate-1a2b3c"], "name": "Platewatch Gate", "mf": "Platewatch", "mdl": "Number-plate recognition", "sw": "0.2.0"}
    assert said["o"] == {"name": "platewatch", "sw": "0.2.0"}
    assert said["avty"] == [{"t": "platewatch/gate/available"}]
    parts = said["cmps"]
    assert parts["event"] == {
        "p": "event", "name": "Plate", "icon": "mdi:car", "state_topic": "platewatch/gate/event", "unique_id": "gate-1a2b3c_event",
        "event_types": ["known", "denied", "unknown", "preview", "withdrawn", "test"],
    }  # fmt: skip
    assert parts["picture"] == {
        "p": "image", "name": "Last plate", "image_topic": "platewatch/gate/picture", "content_type": "image/jpeg", "unique_id": "gate-1a2b3c_picture",
    }  # fmt: skip
    assert parts["known_anna_s_car"] == {
        "p": "binary_sensor", "name": "Anna's car", "device_class": "presence", "state_topic": "platewatch/gate/known/anna-s-car", "off_delay": 60,
        "unique_id": "gate-1a2b3c_known_anna_s_car",
    }  # fmt: skip
    assert parts["known_bob"] == {"p": "binary_sensor"}  # which takes it away over there
    assert (parts["detection"]["state_topic"], parts["detection"]["command_topic"]) == ("platewatch/gate/detection", "platewatch/gate/detection/set")
    assert parts["temperature_c"]["entity_category"] == "diagnostic"
    assert parts["temperature_c"]["value_template"] == "{{ value_json.temperature_c }}"
    ids = [part["unique_id"] for part in parts.values() if "unique_id" in part]
    assert len(ids) == len(set(ids)) == len(parts) - 1
    bare = homeassistant.discovery(SITE, "x", commands=False)["cmps"]
    assert {"detection", "picture"} & set(bare) == set()


def test_the_figures_are_those_that_are_announced() -> None:
    """A key without a sensor, or a sensor without a key, would stay empty over there."""
    status = {
        "fps": 9.9, "stages_ms": {"total": {"p95": 12.5}}, "camera": {"dropped": 3}, "state": "watching",
        "targets": [{"pending": 2, "dropped": 1}, {"pending": 3, "dropped": 0}],
    }  # fmt: skip
    said = homeassistant.state(status, 51.04, 812)
    assert said == {
        "fps": 9.9, "latency_ms": 12.5, "temperature_c": 51.0, "disk_free_mb": 812, "frames_dropped": 3, "events_waiting": 5, "events_lost": 1,
        "camera_state": "watching",
    }  # fmt: skip
    assert set(said) == set(homeassistant.FIGURES) == set(homeassistant.state({}, None, None))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_test_is_marked_as_one(name: str) -> None:
    """In every dialect that can say so; a row of training data cannot, and the target leaves it out."""
    dialect = DIALECTS[name]
    if dialect.document is not None:
        assert dialect.document(told(test=True))["test"] is True
        assert "test" not in dialect.document(told())
    elif dialect.messages is not None:
        (message,) = dialect.messages(told(b"crop", test=True, match=KNOWN), "base")
        assert json.loads(message.payload)["test"] is True


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_is_pure(name: str) -> None:
    """The same event gives the same words, and is not changed by being told."""
    event = told(b"crop", "crops/1.jpg", match=KNOWN, rule=Rule("LLDDLLL", 0.1, 5.0))
    before, dialect = copy.deepcopy(event.row), DIALECTS[name]
    say = dialect.document or dialect.row or (lambda one: dialect.messages(one, "base"))  # type: ignore[misc]
    assert say(event) == say(event)
    assert event.row == before


def test_an_event_of_an_older_version_can_be_told() -> None:
    """It may wait in an outbox while the device is updated: no direction, no match, no preview."""
    row = {key: value for key, value in told().row.items() if key not in ("preview", "direction", "match", "raw_text", "rule", "dwell_s")}
    old = Told(row, SITE, b"crop", "crops/1.jpg")
    assert (old.stage, old.match, old.known_as) == ("final", None, "")
    for dialect in DIALECTS.values():
        assert (dialect.document or dialect.row or (lambda one, dialect=dialect: dialect.messages(one, "base")))(old)  # type: ignore[misc]
