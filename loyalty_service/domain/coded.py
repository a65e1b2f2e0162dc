"""The nouns that have codes, and which of them a code belongs to."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service.domain import codes, discounts, redemptions
from loyalty_service.domain.codes import ISSUED, HasCode
from loyalty_service.domain.discounts import Discount
from loyalty_service.domain.redemptions import Redemption


class Noun(Protocol):
    """What a noun can be told of its codes."""

    def require(self, session: Session, program_id: str, id_: str, /) -> HasCode:
        """The row of an id."""

    def issued(
        self, session: Session, program_id: str, id_: str, promotion_code_id: str, /, *then: Any
    ) -> bool:
        """The code exists."""

    def failed(self, session: Session, program_id: str, id_: str, why: str, /) -> None:
        """The code can't be made."""

    def withdrawn(
        self, session: Session, program_id: str, id_: str, times_redeemed: int, /
    ) -> None:
        """The code is dead; it was used so many times."""

    def expire(self, session: Session, program_id: str, id_: str, /) -> bool:
        """Begin to end a code whose life is over; False where it is not issued any more."""

    def learn_use(
        self, session: Session, program_id: str, id_: str, promotion_code_id: str, /
    ) -> HasCode:
        """The code was used, whatever we knew of it."""

    def learn_withdrawal(self, session: Session, program_id: str, id_: str, code: str, /) -> bool:
        """A person has withdrawn a code at Stripe; False where nothing follows."""


class Kind(NamedTuple):
    """One of the nouns: its verbs, its table, and what people call a row of it."""

    noun: Noun
    table: Any
    name: str


KINDS: dict[str, Kind] = {
    redemptions.PREFIX: Kind(redemptions, Redemption, "redemption"),
    discounts.PREFIX: Kind(discounts, Discount, "discount"),
}
TABLES = tuple(kind.table for kind in KINDS.values())


def noun_of(id_: str) -> Noun:
    """The noun of an id such as `rdm_…`."""
    return KINDS[_prefix(id_)].noun


def is_known(id_: str) -> bool:
    """Say whether an id is one of a noun that has codes."""
    return _prefix(id_) in KINDS


def find_by_code(session: Session, program_id: str, promotion_code_id: str) -> HasCode | None:
    """Whatever has the code with this id at Stripe."""
    for table in TABLES:
        found: HasCode | None = session.scalar(
            select(table).where(
                table.program_id == program_id, table.promotion_code_id == promotion_code_id
            )
        )
        if found is not None:
            return found
    return None


def programs_of_codes(session: Session, promotion_code_ids: Sequence[str]) -> list[str]:
    """The programs that have made some codes at Stripe."""
    if not promotion_code_ids:
        return []
    found: set[str] = set()
    for table in TABLES:
        made = table.promotion_code_id.in_(promotion_code_ids)
        found |= set(session.scalars(select(table.program_id).where(made).distinct()))
    return sorted(found)


def issued_at_stripe(session: Session, program_id: str) -> list[str]:
    """The ids of those whose codes Stripe should honour."""
    found: list[str] = []
    for table in TABLES:
        found += session.scalars(
            select(table.id).where(
                table.program_id == program_id,
                table.status == ISSUED,
                table.promotion_code_id.is_not(None),
            )
        )
    return found


def ended(session: Session, *, limit: int, besides: Collection[str]) -> list[tuple[str, str]]:
    """Program and id of issued codes whose life is over; of each noun the oldest first."""
    return [found for table in TABLES for found in codes.ended(session, table, limit, besides)]


def expire(session: Session, program_id: str, id_: str) -> bool:
    """Begin to end a code whose life is over; False where it is not issued any more."""
    return noun_of(id_).expire(session, program_id, id_)


def name_of(id_: str) -> str:
    """What people call it: `redemption` or `discount`."""
    return KINDS[_prefix(id_)].name


def _prefix(id_: str) -> str:
    return id_.partition("_")[0]
