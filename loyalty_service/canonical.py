"""Canonical JSON: one text for one value, so that it can be hashed, compared and kept for ever."""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

# Where a number that is no whole one may begin: after a colon, a comma or a bracket. A text may
# look like it, so that it is only a reason to look closer.
_MAY_BE_A_FLOAT = re.compile(r'(?:":|[\[,])(?:-?[0-9]+[.eE]|-?Infinity|NaN)')
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def dumps(value: Any) -> str:
    """JSON with sorted keys and no spaces; a float is our own bug and raises TypeError."""
    text = _encode(value)
    if type(value) is float or _MAY_BE_A_FLOAT.search(text):
        _refuse_floats(value)
    return text


def sha256(text: str) -> str:
    """The SHA-256 of a text's UTF-8, in 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and `Z`: `2026-03-31T22:00:00.000000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"a float ({value!r}) can't be kept: use whole numbers")
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
