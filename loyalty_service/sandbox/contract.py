"""Reads a form as Stripe does: bracketed names, typed values, unknown parameters refused.

What an endpoint takes is the committed `contract.json`, derived from the pinned Stripe library.
"""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from loyalty_service.sandbox.messages import Refusal

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


def read(endpoint: str, fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the typed parameters of a call to `endpoint`; raise `Refusal` where Stripe would."""
    params = _value(nested(fields), _contract()["endpoints"][endpoint], "")
    assert isinstance(params, dict)
    return params


def api_version() -> str:
    """Return the API version of the pinned Stripe library."""
    return str(_contract()["api_version"])


def nested(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return bracketed names as nested mappings; a list is a mapping of its positions."""
    tree: dict[str, Any] = {}
    for name, value in fields:
        steps = [step for step in re.split(r"\[|\]", name) if step] or [name]
        if name.endswith("[]"):
            # expand[]=a&expand[]=b counts by itself.
            steps.append(str(len(_at(tree, steps))))
        branch = _at(tree, steps[:-1])
        branch[steps[-1]] = value
    return tree


def _at(tree: dict[str, Any], steps: list[str]) -> dict[str, Any]:
    for step in steps:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):
            raise Refusal(f"Invalid request: `{step}` is given twice.", param=step)
        tree = below
    return tree


@cache
def _contract() -> dict[str, Any]:
    text = Path(__file__).with_name("contract.json").read_text(encoding="utf-8")
    contract: dict[str, Any] = json.loads(text)
    return contract


def _value(given: Any, shape: Any, name: str) -> Any:
    if isinstance(shape, str):
        return _leaf(given, shape, name)
    if "object" in shape:
        return _object(given, shape, name)
    if "map" in shape:
        return {
            key: _value(below, shape["map"], f"{name}[{key}]")
            for key, below in _branches(given, name).items()
        }
    if "list" in shape:
        branches = _branches(given, name)
        return [_value(branches[key], shape["list"], f"{name}[{key}]") for key in branches]
    if "enum" in shape:
        return _choice(given, shape["enum"], name)
    return _first_that_fits(given, shape["any"], name)


def _object(given: Any, shape: Mapping[str, Any], name: str) -> dict[str, Any]:
    branches = _branches(given, name)
    for key in shape.get("required", ()):
        if key not in branches:
            raise Refusal(
                f"Missing required param: {_below(name, key)}.",
                code="parameter_missing",
                param=_below(name, key),
            )
    values = {}
    for key, below in branches.items():
        if key not in shape["object"]:
            raise Refusal(
                f"Received unknown parameter: {_below(name, key)}",
                code="parameter_unknown",
                param=_below(name, key),
            )
        values[key] = _value(below, shape["object"][key], _below(name, key))
    return values


def _branches(given: Any, name: str) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    raise Refusal(f"Invalid {'array or ' if name else ''}object", param=name)


def _leaf(given: Any, kind: str, name: str) -> Any:
    if isinstance(given, dict):
        raise Refusal("Invalid string: a hash was given", param=name)
    if kind == "string":
        return given
    if kind == "boolean" and given in ("true", "false"):
        return given == "true"
    if kind == "integer" and _WHOLE_NUMBER.fullmatch(given):
        return int(given)
    if kind == "number" and (number := _decimal(given)) is not None:
        return number
    word = "decimal" if kind == "number" else kind
    raise Refusal(f"Invalid {word}: {given}", code=f"parameter_invalid_{word}", param=name)


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _choice(given: Any, choices: list[str], name: str) -> Any:
    if given in choices:
        return given
    wanted = ", ".join(choice for choice in choices if choice)
    raise Refusal(f"Invalid {name}: must be one of {wanted}", param=name)


def _first_that_fits(given: Any, shapes: list[Any], name: str) -> Any:
    refusals = []
    for shape in shapes:
        try:
            return _value(given, shape, name)
        except Refusal as refusal:
            refusals.append(refusal)
    # The last shape is the fullest one, so its refusal says most.
    raise refusals[-1]


def _below(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key
