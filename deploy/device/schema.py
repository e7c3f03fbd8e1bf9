"""The JSON Schema of a device file, for editors that check while one types, and the markdown table of its keys."""

from __future__ import annotations

import json
from collections.abc import Iterator


def schema() -> str:
    from deploy.device.model import Device

    told = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Device.model_json_schema(), "title": "Platewatch device"}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def rows() -> Iterator[tuple[str, str, str]]:
    """(key, default, meaning) of every key, in order."""
    from deploy.device.model import Device

    for name, field in Device.model_fields.items():
        kinds = [kind for kind in (field.annotation, *getattr(field.annotation, "__args__", ())) if hasattr(kind, "model_fields")]
        if not kinds:
            yield f"{name}.*", "", field.description or ""
            continue
        for key, inner in kinds[0].model_fields.items():
            default = "needed" if inner.is_required() else json.dumps(inner.default) if inner.default not in ("", None, ()) else ""
            yield f"{name}.{key}", default, inner.description or ""


def table() -> str:
    lines = [f"| `{key}` | {default if default in ('', 'needed') else f'`{default}`'} | {text} |" for key, default, text in rows()]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *lines]) + "\n"
