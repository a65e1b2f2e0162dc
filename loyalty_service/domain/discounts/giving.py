"""Giving a thank-you discount: once for its cause, within its budget, with the promise of its code.

Staff who ask are refused with the reason. What comes by itself and can't be given is noted as
withheld, so that somebody who looks sees why. Either way the counters come last: all members share
their rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import ids
from loyalty_service.db import TakenMeanwhile
from loyalty_service.domain import adjustments, codes, jobs, ledger, members, opening, program
from loyalty_service.domain.access import Principal
from loyalty_service.domain.codes import ISSUE_CODE, PENDING, Promised, Worth
from loyalty_service.domain.discounts import budgets, cooldowns
from loyalty_service.domain.discounts.budgets import Share
from loyalty_service.domain.discounts.due import Due
from loyalty_service.domain.discounts.settling import TOLD_ISSUED
from loyalty_service.domain.discounts.table import PREFIX, WITHHELD, Discount
from loyalty_service.domain.notices import untold
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.program.document import Offer, TriggerKind
from loyalty_service.domain.rewards.dates import code_expires_at
from loyalty_service.errors import OfferGivenLately, OfferNotForStaff, OfferNotFound
from loyalty_service.statements import inserting, table_of, together

_INSERT = inserting(table_of(Discount))


@dataclass(frozen=True, slots=True)
class Wish:
    """What staff want to give: to whom, which offer, and one of the program's reasons."""

    member: str
    offer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Thanks:
    """An offer that is due to the member of a locked book, and for what."""

    book: ledger.Book
    rules: program.InForce
    offer: Offer
    cause: str
    reason: str | None = None
    actor_id: str | None = None
    # The issuer's own name for the member.
    customer_id: str | None = None


def give(session: Session, by: Principal, wish: Wish, *, lease_seconds: int) -> Promised[Discount]:
    """Give an offer for staff by hand; the caller holds the lease of the promised code.

    Raises MemberNotFound, MemberClosed, MemberSuspended, OfferNotFound, OfferNotForStaff,
    ReasonNotKnown, OfferGivenLately, BudgetExceeded.
    """
    member, book, newest, _ = opening.open_for(session, by.program_id, wish.member, Ahead.EXPIRING)
    rules = program.as_of(session, by.program_id, newest, book.now)
    offer = _for_staff(rules.rules, wish.offer)
    adjustments.require_reason(rules.rules, wish.reason)
    members.require_spending(member)
    discount_id = ids.new(PREFIX)
    # Every gift of staff is its own cause.
    cause, customer = f"staff:{discount_id}", member.stripe_customer_id
    thanks = Thanks(book, rules, offer, cause, wish.reason, by.actor_id, customer)
    if refused := _not_cooled_down(thanks):
        raise refused
    given = _write(thanks, discount_id, lease_seconds=lease_seconds)
    budgets.use(session, by.program_id, offer, book.now, rules.rules, discount_id)
    return given


def give_due(book: ledger.Book, rules: program.InForce, dues: Iterable[Due]) -> None:
    """Give the member of a locked book what is due, each once for its cause, or note that it is
    withheld. The worker makes the codes.

    Raises TakenMeanwhile where a budget was used up between the look and the end.
    """
    shares = [
        (share, discount_id)
        for due in dues
        for share, discount_id in _give_once(Thanks(book, rules, due.offer, due.cause))
    ]
    # In one order, whatever the order of the offers: two members may be due the same ones.
    for share, discount_id in sorted(shares):
        if not budgets.take(book.session, book.program_id, share, discount_id):
            raise TakenMeanwhile(share.counter)


def not_for_staff(rules: program.Program, offer: Offer) -> OfferNotForStaff | None:
    """Why staff can't give an offer by hand at all; None where they can."""
    if offer.trigger.kind is TriggerKind.STAFF:
        return None
    return OfferNotForStaff(
        f"{offer.id} is given by itself ({offer.trigger.kind}); staff can give: {_by_hand(rules)}.",
        param="offer",
    )


def _for_staff(rules: program.Program, offer_id: str) -> Offer:
    offer = rules.offer(offer_id)
    if offer is None:
        raise OfferNotFound(
            f"There is no offer {offer_id!r}; staff can give: {_by_hand(rules)}.", param="offer"
        )
    if refused := not_for_staff(rules, offer):
        raise refused
    return offer


def _by_hand(rules: program.Program) -> str:
    return ", ".join(one.id for one in rules.offers_for(TriggerKind.STAFF)) or "none"


def _give_once(thanks: Thanks) -> list[tuple[Share, str]]:
    """Write down what is due, unless that was done before; returns what is still to be paid."""
    if _is_known(thanks):
        return []
    book, discount_id = thanks.book, ids.new(PREFIX)
    due = (thanks.offer, book.now, thanks.rules.rules)
    refused = _not_cooled_down(thanks) or budgets.refused(book.session, book.program_id, *due)
    if refused:
        _withhold(thanks, discount_id, refused.code)
        return []
    _write(thanks, discount_id, lease_seconds=0)
    return [(share, discount_id) for share in budgets.shares(*due)]


def _is_known(thanks: Thanks) -> bool:
    book = thanks.book
    mine = (Discount.program_id == book.program_id, Discount.member_id == book.member_id)
    its_cause = (Discount.offer_id == thanks.offer.id, Discount.cause == thanks.cause)
    return book.session.scalar(select(Discount.id).where(*mine, *its_cause)) is not None


def _write(thanks: Thanks, discount_id: str, *, lease_seconds: int) -> Promised[Discount]:
    """The row, and the promise of its code or the word that the shop honours it."""
    book, row, promise = thanks.book, _row(thanks, discount_id), None
    if row["status"] == PENDING:
        _INSERT.run(book.session, **row)
        promise = jobs.promise(
            book.session, book.program_id, ISSUE_CODE, discount_id, lease_seconds=lease_seconds
        )
    else:
        mine = (book.program_id, book.member_id, TOLD_ISSUED, discount_id)
        told = untold.announcement(*mine, occurred_at=book.now)
        together(book.session, [(_INSERT, row), told])
    account = thanks.rules.rules.stripe.api_key_env
    return Promised(Discount(**row), promise, account, thanks.customer_id)


def _withhold(thanks: Thanks, discount_id: str, why: str) -> None:
    row = _row(thanks, discount_id)
    row |= {"status": WITHHELD, "code": None, "failure": why, "expires_at": None}
    _INSERT.run(thanks.book.session, **row)


def _not_cooled_down(thanks: Thanks) -> OfferGivenLately | None:
    book, offer = thanks.book, thanks.offer
    last = cooldowns.last_given(book.session, book.program_id, book.member_id, [offer])
    return cooldowns.refusal(offer, book.member_id, last.get(offer.id), book.now)


def _row(thanks: Thanks, discount_id: str) -> dict[str, Any]:
    book, offer, rules = thanks.book, thanks.offer, thanks.rules.rules
    worth = Worth(offer.amount_off_minor, offer.percent_off)
    content = {"program": book.program_id, "offer": offer.id, "name": offer.name}
    return {
        "program_id": book.program_id,
        "id": discount_id,
        "member_id": book.member_id,
        "offer_id": offer.id,
        "name": offer.name,
        "trigger": offer.trigger.kind.value,
        "cause": thanks.cause,
        "reason": thanks.reason,
        "actor_id": thanks.actor_id,
        "program_version": thanks.rules.version,
        "minimum_order_minor": offer.minimum_order_minor,
        "gives": offer.gives,
        "created_at": book.now,
        "expires_at": code_expires_at(offer, book.now, rules.zone),
        **codes.new(
            offer.settlement,
            worth,
            rules.currency,
            codes.coupon_id(content, worth, rules.currency),
        ),
    }
