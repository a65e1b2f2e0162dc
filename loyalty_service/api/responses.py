"""The refusals as responses of the OpenAPI document: one for each status, its codes named."""

from collections.abc import Iterable, Sequence
from typing import Any

from loyalty_service.api import refusing, texts
from loyalty_service.api.problems import MEDIA_TYPE
from loyalty_service.api.refusing import Kind

# Where a status has just these codes, every operation shares one response of this name.
SHARED = {401: "Unauthenticated", 413: "TooLarge", 415: "NotJsonMedia", 503: "Unavailable"}
OF_STATUS = {401: "WWW-Authenticate", 503: "Retry-After"}


def of(kinds: Sequence[Kind]) -> dict[str, Any]:
    """An operation's refusals by status, and `default` for what every address may answer."""
    made: dict[str, Any] = {}
    for status in sorted({kind.status for kind in kinds}):
        if status in SHARED:
            made[str(status)] = _reference(SHARED[status])
        else:
            made[str(status)] = _refusal(status, [one for one in kinds if one.status == status])
    return made | {"default": _reference("Problem")}


def shared() -> dict[str, Any]:
    """The responses that operations refer to."""
    kinds = (*refusing.KEY, *refusing.BODY)
    made = {
        name: _refusal(status, [one for one in kinds if one.status == status])
        for status, name in SHARED.items()
    }
    rest = {
        "description": _told(refusing.REST),
        "headers": headers("Allow"),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    return {"Problem": rest, **made}


def headers(*names: str, replayed: bool = False) -> dict[str, Any]:
    """What every answer carries, and more headers by name."""
    more = ["Idempotent-Replayed"] if replayed else []
    return {
        name: {"$ref": f"#/components/headers/{name}"} for name in ("Request-Id", *names, *more)
    }


def _refusal(status: int, kinds: list[Kind]) -> dict[str, Any]:
    named = {
        "type": "object",
        "properties": {
            "status": {"const": status},
            "code": {"enum": sorted(kind.code for kind in kinds)},
        },
    }
    own = [OF_STATUS[status]] if status in OF_STATUS else []
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, named]}
    return {
        "description": _told(kinds),
        "headers": headers(*own, replayed=any(kind.kept for kind in kinds)),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def _told(kinds: Iterable[Kind]) -> str:
    codes = texts.errors()["codes"]
    return "\n".join(f"- `{kind.code}`: {codes[kind.code]['when']}" for kind in kinds)


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{name}"}
