"""Lists as Stripe pages them: newest first, filtered by fields and by the moment of creation."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from loyalty_service.sandbox.messages import Refusal, Resource, missing, refuse_unsupported

_PAGING = "created ending_before expand limit starting_after"
_COMPARED: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda created, bound: created > bound,
    "gte": lambda created, bound: created >= bound,
    "lt": lambda created, bound: created < bound,
    "lte": lambda created, bound: created <= bound,
}
Shown = Callable[[Resource], Mapping[str, Any]]


def listed(
    oldest_first: Iterable[Resource],
    params: dict[str, Any],
    *,
    url: str,
    filters: str = "",
    shown: Shown = lambda each: each,
) -> Resource:
    """Return one page in Stripe's list shape.

    `filters` are the names of parameters that must equal the field of that name (or be a list with
    it) in what `shown` makes of an object. Raises `Refusal` for any other parameter that is not
    paging, and for an unknown cursor.
    """
    refuse_unsupported(params, f"{_PAGING} {filters}")
    wanted = {name: params[name] for name in filters.split() if name in params}
    found = [
        each
        for each in _between(list(oldest_first)[::-1], params)
        if _made_then(each, params.get("created")) and _fits(shown(each), wanted)
    ]
    page, has_more = _page(found, params)
    return {"object": "list", "data": page, "has_more": has_more, "url": url}


def _fits(fields: Mapping[str, Any], wanted: dict[str, Any]) -> bool:
    return all(
        fields.get(name) in (value if isinstance(value, list) else [value])
        for name, value in wanted.items()
    )


def _made_then(each: Resource, asked: int | dict[str, int] | None) -> bool:
    if asked is None:
        return True
    if isinstance(asked, int):
        return bool(each["created"] == asked)
    return all(_COMPARED[how](each["created"], bound) for how, bound in asked.items())


def _between(newest_first: list[Resource], params: dict[str, Any]) -> list[Resource]:
    # The cursor counts even where it no longer fits the filters: a code may be used meanwhile.
    ids = [each["id"] for each in newest_first]
    for cursor in ("starting_after", "ending_before"):
        if cursor in params and params[cursor] not in ids:
            raise missing("object", params[cursor], param=cursor)
    first = ids.index(params["starting_after"]) + 1 if "starting_after" in params else 0
    end = ids.index(params["ending_before"]) if "ending_before" in params else len(ids)
    return newest_first[first:end]


def _page(found: list[Resource], params: dict[str, Any]) -> tuple[list[Resource], bool]:
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise Refusal("Invalid integer: limit must be from 1 to 100", param="limit")
    page = found[-limit:] if "ending_before" in params else found[:limit]
    return page, len(found) > limit
