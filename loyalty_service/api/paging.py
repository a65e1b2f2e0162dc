"""Lists: newest first, `limit`, `starting_after`, `ending_before`."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import marshmallow as ma
from flask import request

from loyalty_service.api.fields import Body, Object, QueryWhole, Text, fault
from loyalty_service.domain.lists import Page

Row = TypeVar("Row")


class PageQuery(Body):
    """The query of every list."""

    limit = QueryWhole(min=1, max=100, load_default=20)
    starting_after = Text(
        max=210, load_default=None, metadata={"description": "Go on below this id."}
    )
    ending_before = Text(
        max=210, load_default=None, metadata={"description": "Go back above this id."}
    )

    @ma.validates_schema
    def _one_way(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data.get("starting_after") and data.get("ending_before"):
            raise ma.ValidationError(
                {"ending_before": fault("conflict", "can't stand with starting_after").messages}
            )


def page_of(query: dict[str, Any]) -> Page:
    """The page that a query asks for; removes the page's fields from it."""
    return Page(query.pop("limit"), query.pop("starting_after"), query.pop("ending_before"))


def listed(
    rows: Sequence[Row], page: Page, render: Callable[[Row], dict[str, Any]]
) -> dict[str, Any]:
    """The list object; `rows` holds one more than the limit where there is more."""
    more = len(rows) > page.limit
    kept = rows[-page.limit :] if page.ending_before else rows[: page.limit]
    return {
        "object": "list",
        "data": [render(row) for row in kept],
        "has_more": more,
        "url": request.path,
    }


def list_schema(item: type[ma.Schema]) -> type[ma.Schema]:
    """The schema of a list of `item`."""
    return ma.Schema.from_dict(
        {
            "object": Object("list"),
            "data": ma.fields.List(ma.fields.Nested(item), required=True),
            "has_more": ma.fields.Boolean(required=True),
            "url": ma.fields.String(required=True),
        },
        name=f"{item.__name__}List",
    )
