"""Lists as every caller reads them: newest first, from an id on, in either direction."""

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select
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

    `order` grows with time; `id_column` is what a cursor names. Raises CursorNotFound.
    """

    def position(cursor: str, param: str) -> Any:
        found = session.scalar(mine.with_only_columns(order).where(id_column == cursor))
        if found is None:
            raise CursorNotFound(f"This list has no {cursor} to go on from.", param=param)
        return found

    if page.ending_before:
        above = mine.where(order > position(page.ending_before, "ending_before"))
        return list(session.scalars(above.order_by(order).limit(page.limit + 1)))[::-1]
    below = mine
    if page.starting_after:
        below = mine.where(order < position(page.starting_after, "starting_after"))
    return list(session.scalars(below.order_by(order.desc()).limit(page.limit + 1)))
