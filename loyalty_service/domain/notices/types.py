"""What there is to tell, from `types.yaml`: each type's words, its data, an example."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Type:
    """One type of notice. `data` is the JSON Schema of its data."""

    name: str
    says: str
    data: Schema
    example: dict[str, Any]


@cache
def catalogue() -> dict[str, Type]:
    """Every type by its name, in the order of the file."""
    file = Path(__file__).with_name("types.yaml")
    read = yaml.safe_load(file.read_text(encoding="utf-8"))
    fields, common = read["fields"], read["common"]
    return {
        name: Type(
            name,
            said["says"],
            _schema({key: fields[field] for key, field in said["data"].items()}),
            {key: {**common, **said["example"]}[key] for key in said["data"]},
        )
        for name, said in read["types"].items()
    }


def names() -> tuple[str, ...]:
    """Every type that an endpoint can ask for."""
    return tuple(catalogue())


def message(type_: Type) -> Schema:
    """The JSON Schema of what an endpoint receives of a type."""
    return _schema(
        {
            "id": _text("The event, as `ntc_…`; the same however often it is sent.", "^ntc_"),
            "type": {"type": "string", "enum": [type_.name]},
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "When it happened.",
            },
            "program": _text("The program's id."),
            "member": _text("The member, as `mem_…`.", "^mem_"),
            "sequence": {
                "type": "integer",
                "minimum": 0,
                "description": "Counts up by one with each event of the member, of any type.",
            },
            "is_test": {
                "type": "boolean",
                "description": "True for an example that was asked for.",
            },
            "data": type_.data,
        }
    )


def example(type_: Type) -> dict[str, Any]:
    """What an endpoint would receive of a type."""
    return {
        "id": "ntc_01kjc2v4xqf0m5t8r7w3n6y9zc",
        "type": type_.name,
        "timestamp": "2026-03-02T09:00:00.000000Z",
        "program": "default",
        "member": "mem_01kjc2v4xqf0m5t8r7w3n6y9zd",
        "sequence": 12,
        "is_test": False,
        "data": type_.example,
    }


def _schema(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}


def _text(description: str, pattern: str | None = None) -> Schema:
    said = {"type": "string", "description": description}
    return said | {"pattern": pattern} if pattern else said
