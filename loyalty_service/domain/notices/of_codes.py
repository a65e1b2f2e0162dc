"""What is told of a redemption or a discount whose own row says it all."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service.domain import discounts, redemptions
from loyalty_service.domain.discounts import Discount
from loyalty_service.domain.redemptions import Redemption

Coded = Redemption | Discount
_WITH_CODE = ("redemption.issued", "discount.issued")


def read(session: Session, program_id: str, named: Collection[str]) -> dict[str, Coded]:
    """The redemptions and discounts among some ids, by their ids."""
    return {
        **_of(session, Redemption, program_id, _with(redemptions.PREFIX, named)),
        **_of(session, Discount, program_id, _with(discounts.PREFIX, named)),
    }


def data(row: Coded, type_: str) -> dict[str, Any]:
    """What a type tells of a row, as ids and figures."""
    if isinstance(row, Discount):
        told: dict[str, Any] = {"discount": row.id, "offer": row.offer_id}
    else:
        told = {"redemption": row.id, "reward": row.reward_id, "points": row.points}
    # Whoever tells the customer needs the code; nobody needs it later.
    return told | ({"code": row.code} if type_ in _WITH_CODE else {})


def _with(prefix: str, named: Collection[str]) -> list[str]:
    return [one for one in named if one.startswith(f"{prefix}_")]


def _of(session: Session, table: Any, program_id: str, named: Collection[str]) -> dict[str, Any]:
    if not named:
        return {}
    mine = select(table).where(table.program_id == program_id, table.id.in_(named))
    return {row.id: row for row in session.scalars(mine)}
