"""Home Assistant by MQTT discovery (2024.12 and later): what is announced, and what is sent for an event. Nothing to write in its YAML.

Below a base topic: `available` (online, offline), `event`, `last_plate`, `picture`, `known/<plate>`, `state` (figures), `detection` and `detection/set`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from edge.publish.dialects.base import Message
from edge.publish.told import Site, Told, slug

EVENT_TYPES = ("known", "denied", "unknown", "preview", "withdrawn", "test")
KNOWN_OFF_S = 60
STATE_EVERY_S = 60.0
FIGURES: dict[str, dict[str, str]] = {
    "fps": {"name": "Frames a second", "unit_of_measurement": "fps", "state_class": "measurement"},
    "latency_ms": {"name": "Latency (95 %)", "unit_of_measurement": "ms", "state_class": "measurement"},
    "temperature_c": {"name": "Processor", "device_class": "temperature", "unit_of_measurement": "°C", "state_class": "measurement"},
    "disk_free_mb": {"name": "Free disk", "device_class": "data_size", "unit_of_measurement": "MB", "state_class": "measurement"},
    "frames_dropped": {"name": "Frames dropped", "state_class": "total_increasing"},
    "events_waiting": {"name": "Events waiting", "state_class": "measurement"},
    "events_lost": {"name": "Events dropped from the outbox", "state_class": "total_increasing"},
    "camera_state": {"name": "State"},
}
"""Diagnostics: key in `state` -> how Home Assistant shows it."""


def event_type(told: Told) -> str:
    if told.test:
        return "test"
    if told.stage == "preview":
        return "preview"
    return "unknown" if told.match is None else "denied" if told.match["kind"] == "deny" else "known"


def messages(told: Told, base: str) -> tuple[Message, ...]:
    """The event first: it fires also when the same plate comes twice. It is not retained, or it would fire again at every restart over there."""
    if told.stage == "withdrawn":
        return withdrawal(told, base)
    facts = {
        "plate": told.text,
        "confidence": round(told.confidence, 4),
        "known": told.known_as or None,
        "list": told.match["list"] if told.match else None,
        "due": told.match["due"] if told.match else None,
        "camera": told.camera,
        "country": told.country or None,
        "direction": told.row.get("direction"),
        "event_time": told.last_seen.isoformat(),
        "stage": told.stage,
        "id": told.id,
    }
    event = Message(f"{base}/event", _json({"event_type": event_type(told)} | facts | ({"test": True} if told.test else {})))
    if told.test:
        return (event,)
    made = [event, Message(f"{base}/last_plate", _json(facts), retain=True)]
    if told.picture:
        made.append(Message(f"{base}/picture", told.picture, retain=True))
    if told.known_as:
        made.append(Message(f"{base}/known/{slug(told.known_as)}", b"ON"))
    return tuple(made)


def withdrawal(told: Told, base: str, *, last: bool = True, known_as: str = "") -> tuple[Message, ...]:
    """It was no news after all. Where it was the `last` that was told, the last plate and its picture are unknown again, on the broker too."""
    facts = {"camera": told.camera, "stage": told.stage, "id": told.id}
    made = [Message(f"{base}/event", _json({"event_type": "withdrawn"} | facts))]
    if last:
        made += [Message(f"{base}/last_plate", _json({"plate": None, "event_time": None} | facts), retain=True), Message(f"{base}/picture", b"", retain=True)]
    if known_as:
        made.append(Message(f"{base}/known/{slug(known_as)}", b"OFF"))
    return tuple(made)


def discovery_topic(site: Site, prefix: str) -> str:
    return f"{prefix}/device/{site.node}/config"


def discovery(site: Site, base: str, *, known: Iterable[str] = (), gone: Iterable[str] = (), pictures: bool = False, commands: bool = True) -> dict[str, Any]:
    """The retained announcement of the device and all its entities. `gone` are known plates that were announced once and are no more."""
    parts: dict[str, dict[str, Any]] = {
        "event": {"p": "event", "name": "Plate", "icon": "mdi:car", "state_topic": f"{base}/event", "event_types": list(EVENT_TYPES)},
        "last_plate": {
            "p": "sensor",
            "name": "Last plate",
            "icon": "mdi:car-info",
            "state_topic": f"{base}/last_plate",
            "value_template": "{{ value_json.plate }}",
            "json_attributes_topic": f"{base}/last_plate",
        },
        "last_seen": {
            "p": "sensor",
            "name": "Last seen",
            "device_class": "timestamp",
            "state_topic": f"{base}/last_plate",
            "value_template": "{{ value_json.event_time }}",
        },
    }
    if pictures:
        parts["picture"] = {"p": "image", "name": "Last plate", "image_topic": f"{base}/picture", "content_type": "image/jpeg"}
    if commands:
        parts["detection"] = {
            "p": "switch",
            "name": "Detection",
            "icon": "mdi:cctv",
            "state_topic": f"{base}/detection",
            "command_topic": f"{base}/detection/set",
        }
    for name in known:
        parts[known_part(name)] = {
            "p": "binary_sensor",
            "name": name,
            "device_class": "presence",
            "state_topic": f"{base}/known/{slug(name)}",
            "off_delay": KNOWN_OFF_S,
        }
    for key, shown in FIGURES.items():
        parts[key] = shown | {
            "p": "sensor",
            "entity_category": "diagnostic",
            "state_topic": f"{base}/state",
            "value_template": f"{{{{ value_json.{key} }}}}",
            "expire_after": round(3 * STATE_EVERY_S),
        }
    made = {key: part | {"unique_id": f"{site.node}_{key}"} for key, part in parts.items()}
    made |= {key: {"p": "binary_sensor"} for name in gone if (key := known_part(name)) not in parts}
    return {
        "dev": {"ids": [site.node], "name": f"Platewatch {site.camera}", "mf": "Platewatch", "mdl": "Number-plate recognition", "sw": site.version},
        "o": {"name": "platewatch", "sw": site.version},
        "avty": [{"t": f"{base}/available"}],
        "cmps": made,
        "qos": 1,
    }


def known_part(name: str) -> str:
    return f"known_{slug(name).replace('-', '_')}"


def state(status: dict[str, Any], temperature_c: float | None, disk_free_mb: int | None) -> dict[str, Any]:
    """The figures, of the daemon's status; null where one is not known yet."""
    targets = status.get("targets") or []
    return {
        "fps": status.get("fps"),
        "latency_ms": ((status.get("stages_ms") or {}).get("total") or {}).get("p95"),
        "temperature_c": None if temperature_c is None else round(temperature_c, 1),
        "disk_free_mb": disk_free_mb,
        "frames_dropped": (status.get("camera") or {}).get("dropped"),
        "events_waiting": sum(target.get("pending", 0) for target in targets),
        "events_lost": sum(target.get("dropped", 0) for target in targets),
        "camera_state": status.get("state"),
    }


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
