"""Lists as every caller reads them: newest first, from an id on, in either direction."""

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import Session

from loyalty_service.errors import CursorNotFound

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: at most one of the two ids is given."""

    limit: int
    starting_after: str | None = None
    ending_before: str | None = None


def newest_first(
    session: Session, mine: Select[tuple[Row]], page: Page, *, id_column: Any, order: Any
) -> list[Row]:
    """The page's rows and, where there is more, one row beyond its far end.

    `order` (one column or several) grows with time and is unique; `id_column` is what a cursor
    names. Raises CursorNotFound.
    """
    columns = order if isinstance(order, tuple) else (order,)
    place: Any = tuple_(*columns)

    def position(cursor: str, param: str) -> tuple[Any, ...]:
        found = session.execute(mine.with_only_columns(*columns).where(id_column == cursor)).first()
        if found is None:
            raise CursorNotFound(f"This list has no {cursor} to go on from.", param=param)
        return tuple(found)

    if page.ending_before:
        above = mine.where(place > position(page.ending_before, "ending_before"))
        return list(session.scalars(above.order_by(*columns).limit(page.limit + 1)))[::-1]
    below = mine
    if page.starting_after:
        below = mine.where(place < position(page.starting_after, "starting_after"))
    newest = [column.desc() for column in columns]
    return list(session.scalars(below.order_by(*newest).limit(page.limit + 1)))
