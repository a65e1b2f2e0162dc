"""Finding a customer by whatever staff have in hand: a name, an e-mail, an order id, a code."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service.domain import members
from loyalty_service.domain.lists import Page
from loyalty_service.domain.members import Member
from loyalty_service.domain.orders import Order
from loyalty_service.domain.redemptions import Redemption


def find_members(session: Session, program_id: str, words: str | None, page: Page) -> list[Member]:
    """Members newest first that `words` may mean; all of them without words.

    `words` is an id, an external id, an e-mail, the start of a name, an order id or a redemption's
    code, in any case where case is no difference. Raises CursorNotFound.
    """
    words = words.strip() if words else None
    also = _owners(session, program_id, words) if words else ()
    return members.search(session, program_id, words, page, also=also)


def _owners(session: Session, program_id: str, words: str) -> list[str]:
    """Whose order or code this is."""
    order = select(Order.member_id).where(Order.program_id == program_id, Order.id == words)
    code = select(Redemption.member_id).where(
        Redemption.program_id == program_id, Redemption.code == words.upper()
    )
    return [*session.scalars(order), *session.scalars(code)]
