"""Finding a customer by whatever staff have in hand: a name, an e-mail, an order id, a code."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from loyalty_service import ids
from loyalty_service.domain import members
from loyalty_service.domain.ledger import Transaction
from loyalty_service.domain.lists import Page
from loyalty_service.domain.members import Member
from loyalty_service.domain.orders import Order
from loyalty_service.domain.redemptions import Redemption


def find_members(session: Session, program_id: str, words: str | None, page: Page) -> list[Member]:
    """Members newest first that `words` may mean; all of them without words.

    `words` is an id of a member, redemption or transaction, an external id, an e-mail, how a name
    or surname begins, an order id, or a code with or without its hyphens. Raises CursorNotFound.
    """
    words = words.strip() if words else None
    also = _owners(session, program_id, words) if words else ()
    return members.search(session, program_id, words, page, also=also)


def _owners(session: Session, program_id: str, words: str) -> list[str]:
    """Whose order, redemption, code or transaction this is."""
    found = (
        select(Order.member_id).where(Order.program_id == program_id, Order.id == words),
        select(Redemption.member_id).where(
            Redemption.program_id == program_id,
            or_(Redemption.id == words, Redemption.code == ids.as_code(words)),
        ),
        select(Transaction.member_id).where(
            Transaction.program_id == program_id, Transaction.id == words
        ),
    )
    return [member_id for statement in found for member_id in session.scalars(statement)]
