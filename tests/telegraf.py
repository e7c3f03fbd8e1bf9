"""A stand-in for Telegraf, as far as deploy/broker's files need one: it reads the very file, refuses options that Telegraf does not know, and does with real
messages what the file says: `inputs.mqtt_consumer` with `json_v2` or `value`, `outputs.postgresql` with tables that are there.

Written after Telegraf's sources of 1.34. It is not Telegraf: what it does not know it refuses.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

KNOWN = {
    "": {"agent", "inputs", "outputs"},
    "agent": {"interval", "flush_interval", "metric_batch_size", "metric_buffer_limit", "omit_hostname"},
    "mqtt_consumer": {
        "servers", "topics", "qos", "persistent_session", "client_id", "max_undelivered_messages", "username", "password", "tls_ca", "topic_tag",
        "topic_parsing", "data_format", "json_v2", "name_override", "data_type", "value_field_name",
    },
    "topic_parsing": {"topic", "measurement", "tags", "fields", "types"},
    "json_v2": {"measurement_name", "measurement_name_path", "timestamp_path", "timestamp_format", "timestamp_timezone", "field", "tag", "object"},
    "row": {"path", "rename", "type", "optional"},
    "postgresql": {
        "connection", "schema", "timestamp_column_name", "timestamp_column_type", "create_templates", "add_column_templates", "tag_table_create_templates",
        "tag_table_add_column_templates",
    },
    "influxdb_v2": {"urls", "token", "organization", "bucket"},
}  # fmt: skip
"""Of each table the options that Telegraf knows, as far as they may stand in our files: another would keep it from starting."""


class Refused(Exception):
    """The file would keep Telegraf from starting, or a message is not one that it can read."""


@dataclass(frozen=True)
class Metric:
    """What Telegraf makes of one message. Tags are texts; a tag that is empty is none."""

    name: str
    time: datetime
    tags: dict[str, str]
    fields: dict[str, Any]


@dataclass(frozen=True)
class File:
    """One telegraf.conf, its `${NAME}`s taken from `environment` within strings, as in the strict mode of 2026."""

    inputs: list[dict[str, Any]]
    outputs: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, path: Path, environment: dict[str, str]) -> File:
        made = _filled(tomllib.loads(path.read_text(encoding="utf-8")), environment)
        _only("", made)
        _only("agent", made["agent"])
        assert set(made["inputs"]) == {"mqtt_consumer"}
        for consumer in made["inputs"]["mqtt_consumer"]:
            _only("mqtt_consumer", consumer)
            for parsing in consumer.get("topic_parsing", []):
                _only("topic_parsing", parsing)
                if len(parsing["tags"].split("/")) != len(parsing["topic"].split("/")):
                    raise Refused("config error topic parsing: tags length does not equal topic length")
            for parsing in consumer.get("json_v2", []):
                _only("json_v2", parsing)
                for row in [*parsing["field"], *parsing["tag"]]:
                    _only("row", row)
                if "timestamp_path" in parsing and "timestamp_format" not in parsing:
                    raise Refused("use of 'timestamp_query' requires 'timestamp_format'")
            if consumer.get("persistent_session") and not consumer.get("client_id"):
                raise Refused("persistent_session requires client_id")
            if not all(re.fullmatch(r"(tcp|ssl)://[\w.-]+:\d+", server) for server in consumer["servers"]):
                raise Refused(f"servers {consumer['servers']}")
        outputs = {name: _one(name, rows) for name, rows in made["outputs"].items()}
        return cls(made["inputs"]["mqtt_consumer"], outputs)


def _one(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    [row] = rows
    _only(name, row)
    return row


def _only(table: str, row: dict[str, Any]) -> None:
    if strange := set(row) - KNOWN[table]:
        raise Refused(f"configuration specified the fields {sorted(strange)}, but they were not used")


def _filled(value: Any, environment: dict[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda name: environment[name[1]], value)
    if isinstance(value, list):
        return [_filled(one, environment) for one in value]
    return {key: _filled(one, environment) for key, one in value.items()} if isinstance(value, dict) else value


def metric(consumer: dict[str, Any], topic: str, payload: bytes, now: datetime) -> Metric:
    """What a consumer makes of a message; Refused where it makes nothing."""
    if consumer["data_format"] == "value":
        if consumer["data_type"] != "string":
            raise Refused(f"data_type {consumer['data_type']}")
        made = Metric("mqtt_consumer", now, {}, {consumer.get("value_field_name", "value"): payload.decode().strip()})
    elif consumer["data_format"] == "json_v2":
        [parsing] = consumer["json_v2"]
        made = _json_v2(parsing, payload, now)
    else:
        raise Refused(f"data_format {consumer['data_format']}")
    tags = dict(made.tags)
    if (tag := consumer.get("topic_tag", "topic")) != "":
        tags[tag] = topic
    values = topic.split("/")
    for parsing in consumer.get("topic_parsing", []):
        wanted = parsing["topic"].split("/")
        if len(wanted) == len(values) and all(one in ("+", value) for one, value in zip(wanted, values, strict=True)):
            tags |= {key: value for key, value in zip(parsing["tags"].split("/"), values, strict=True) if key not in ("_", "")}
    return Metric(consumer.get("name_override", made.name), made.time, tags, made.fields)


def _json_v2(parsing: dict[str, Any], payload: bytes, now: datetime) -> Metric:
    try:
        document = json.loads(payload)
    except ValueError:
        raise Refused("invalid JSON provided") from None
    time = now
    if path := parsing.get("timestamp_path"):
        if (told := _at(document, path, None)) is None:
            raise Refused(f"the timestamp path {path} returned NULL")
        if parsing["timestamp_format"] != "rfc3339" or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)", told):
            raise Refused(f"{told} is no time of the format {parsing['timestamp_format']}")
        time = datetime.fromisoformat(told)
    found: dict[str, dict[str, Any]] = {"tag": {}, "field": {}}
    for kind, rows in found.items():
        for row in parsing[kind]:
            value = _at(document, row["path"], _Absent)
            if value is _Absent:
                if not row.get("optional"):
                    raise Refused(f"the path {row['path']} doesn't exist")
            elif value is not None and not isinstance(value, dict):  # null and objects are passed over
                assert not isinstance(value, list), "an array would make several metrics of one event"
                name = row.get("rename", row["path"].rsplit(".", 1)[-1])
                rows[name] = _converted(value, "string" if kind == "tag" else row["type"], name)
    if not found["field"]:
        raise Refused("a metric without a field is none")
    return Metric(parsing["measurement_name"], time, {key: value for key, value in found["tag"].items() if value}, found["field"])


class _Absent:
    """There is no such path."""


def _at(document: Any, path: str, otherwise: Any) -> Any:
    """gjson's plain paths: names and dots."""
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", path)
    for key in path.split("."):
        if not isinstance(document, dict) or key not in document:
            return otherwise
        document = document[key]
    return document


def _converted(value: Any, kind: str, name: str) -> Any:
    try:
        if isinstance(value, bool):
            return {"string": str(value).lower(), "int": int(value)}.get(kind, value)
        if isinstance(value, (int, float)):
            if kind == "bool":
                return {0: False, 1: True}[value]  # type: ignore[index]
            return {"string": lambda: f"{value:g}", "int": lambda: int(value), "float": lambda: float(value)}[kind]()
        if kind == "bool":
            return {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}[value.lower()]
        return {"string": str, "int": int, "float": float}[kind](value)
    except (KeyError, ValueError):
        raise Refused(f"unable to convert field {name!r} to type {kind}") from None


def rows(metrics: list[Metric]) -> dict[str, list[dict[str, Any]]]:
    """Table -> rows (column -> value), as outputs.postgresql makes them: time, tags and fields are columns."""
    made: dict[str, list[dict[str, Any]]] = {}
    for one in metrics:
        made.setdefault(one.name, []).append({"time": one.time.isoformat()} | one.tags | one.fields)
    return made


def copy(output: dict[str, Any], table: str, wanted: list[dict[str, Any]], sql: Callable[[str], str]) -> list[str]:
    """COPY into a table that is there; what it has no column for is left out, and named. No table, no row: Telegraf drops them all."""
    assert output["create_templates"] == output["add_column_templates"] == [], "tables are schema.sql's alone"
    assert output.get("timestamp_column_name", "time") == "time"
    query = f"SELECT column_name FROM information_schema.columns WHERE table_schema = '{output['schema']}' AND table_name = '{table}'"
    there = sql(query).split()
    columns = sorted(set().union(*wanted))
    omitted = [column for column in columns if column not in there]
    if not there:
        return omitted
    kept = [column for column in columns if column in there]
    lines = ["\t".join(_text(row.get(column)) for column in kept) for row in wanted]
    named = ", ".join(f'"{column}"' for column in kept)
    sql(f'COPY "{output["schema"]}"."{table}" ({named}) FROM STDIN;\n' + "\n".join(lines) + "\n\\.\n")
    return omitted


def _text(value: Any) -> str:
    """As COPY reads it."""
    return "\\N" if value is None else str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
