"""Posting what a fact gives or takes: points, what counts towards the tier, and what follows of it.

One entry says it all: the points, the tier credit, what limited rules gave, and the dates that
activity moves. A tier that is reached or lost by it is a transaction of its own right behind it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock
from loyalty_service.domain import following, ledger, opening, program
from loyalty_service.domain.discounts import promising
from loyalty_service.domain.earning import NO_CREDIT, NO_USE, TierCredit, Use, exact, pinning
from loyalty_service.domain.earning.uses import RuleUse
from loyalty_service.domain.following import Change
from loyalty_service.domain.ledger.entries import Standing
from loyalty_service.domain.members import Known
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.tiers import credits, entry, grants
from loyalty_service.domain.tiers.counting import Credit
from loyalty_service.statements import Statement, Values, table_of

__all__ = ["Account", "Change", "open_account", "peek", "post", "tier_at", "undo"]


@dataclass(frozen=True, slots=True)
class Account:
    """A locked member's book, the versions of the rules, and the tier credits as they stand."""

    member: Known
    book: ledger.Book
    history: program.History
    credits: list[Credit]


def open_account(
    session: Session, program_id: str, ref: str, ahead: Ahead, *also: tuple[Statement, Values]
) -> tuple[Account, Sequence[Sequence[Any]]]:
    """Lock a member's account and know the rules and the credits; and what else was asked for.

    Raises MemberNotFound and ProgramNotApplied.
    """
    asked = credits.asked(program_id, ref)
    member, book, newest, (rows, *others) = opening.open_for(
        session, program_id, ref, ahead, asked, *also
    )
    history = program.history(session, program_id, newest)
    return Account(member, book, history, credits.credits_of(rows)), others


def peek(session: Session, program_id: str, ref: str) -> Account:
    """The same without a lock, for whoever writes nothing; raises MemberNotFound and
    ProgramNotApplied."""
    member, book, newest = opening.peek(session, program_id, ref)
    history = program.history(session, program_id, newest)
    rows = credits.CREDITS.all(session, of_program=program_id, of_member=member.id)
    return Account(member, book, history, credits.credits_of(rows))


def tier_at(account: Account, at: datetime) -> str | None:
    """The tier that a member held at a moment, as known now; None without tiers."""
    book = account.book

    def changed(moment: datetime) -> str | None:
        # Where the book is only looked at, time may have brought tiers that nobody wrote down.
        passed = [one for one in book.unposted if one.since and one.since <= moment]
        if passed:
            return passed[-1].tier
        return credits.tier_at(book.session, book.program_id, book.member_id, moment)

    return following.held_at(book.standing, at, account.history, changed)


def post(account: Account, change: Change, beside: Sequence[tuple[Table, Values]] = ()) -> None:
    """Write the entry with what goes with it; then the change of tier and what a new tier gives."""
    book, before = account.book, account.book.standing
    first, then = following.followed(
        change, before, account.credits, account.history, account.member.enrolled_at, book.now
    )
    made = replace(
        change.entry,
        context=change.entry.context | _noted(change),
        standing=first if first != before else None,
    )
    rules = account.history.newest.rules
    thanks = promising.of_fact(book.program_id, made, rules)
    ledger.post(book, made, [*beside, *_rows(book, change), *thanks])
    if change.credit:
        # Another fact may follow under the same lock: it counts on this one.
        account.credits.append(change.credit)
    if then:
        changed = following.tier_change(change, before, then, account.history.newest, book.now)
        ledger.post(book, changed, promising.of_tier(book.program_id, changed, rules))
        _settle_grants(account, before, then)


def withdraw_ahead(account: Account, change: Change) -> None:
    """Take back what a tier gave that a change is about to take, before it takes any points.

    Otherwise a refund in one would eat up what the tier gave, and one in parts would not.
    """
    book, before = account.book, account.book.standing
    if not entry.gives(account.history.newest.rules):
        return
    _, then = following.followed(
        change, before, account.credits, account.history, account.member.enrolled_at, book.now
    )
    if then:
        known = grants.of_member(book.session, book.program_id, book.member_id)
        _withdraw(account, before, then, known)


def undo(
    account: Account,
    original: ledger.Transaction,
    points: int,
    *,
    allow_debt: bool,
    why: dict[str, Any],
) -> str:
    """Take back the points that an event's transaction gave, and what it counted for.

    What it counted towards a tier is taken back under the version that counted it. Returns the
    reversing transaction's id.
    """
    book, context = account.book, json.loads(original.context)
    planned = ledger.claw_back(book, [original.id], points, ledger.ISSUED, allow_debt=allow_debt)
    said = {
        "cause": "reversal",
        "reverses": original.id,
        "short": planned.short,
        "program_version": context["program_version"],
        **why,
    }
    entry = ledger.Entry("reversal", planned.moves, book.now, said, original.id)
    post(account, _undone(original, context, entry))
    return entry.id


def _undone(
    original: ledger.Transaction, context: Mapping[str, Any], entry: ledger.Entry
) -> Change:
    """The change that takes back what a transaction counted for, with `entry`."""
    counted = context.get(credits.PINNED)
    uses = context.get("uses", {})
    used_at = context.get("used_at")
    return Change(
        cause="reversal",
        entry=entry,
        version=context["program_version"],
        day=date.fromisoformat(counted["day"]) if counted else original.occurred_at.date(),
        used_at=datetime.fromisoformat(used_at) if used_at else original.occurred_at,
        tier_credit=NO_CREDIT.less(TierCredit(**{name: counted[name] for name in credits.FIGURES}))
        if counted
        else NO_CREDIT,
        uses={rule: NO_USE.less(_use(noted)) for rule, noted in uses.items()},
    )


def _settle_grants(account: Account, before: Standing, after: Standing) -> None:
    """Give what a tier gives on reaching it; take back what is left of it where it is lost."""
    book, now = account.book, account.history.newest
    if not entry.gives(now.rules):
        return
    session, whose = book.session, (book.program_id, book.member_id)
    known = grants.of_member(session, *whose)
    enrolled_at, at = account.member.enrolled_at, after.since or book.now
    for gift in entry.planned(before.tier, after.tier, now.rules, enrolled_at, at, known):
        given = entry.gift_entry(gift, now, after.tier, book.now)
        new = [] if gift.again else [grants.row(*whose, gift, given, clock.now())]
        ledger.post(book, given, new)
        if gift.again:
            grants.note(session, *whose, gift.cause, -gift.points)
    _withdraw(account, before, after, known)


def _withdraw(
    account: Account, before: Standing, after: Standing, known: Mapping[str, entry.Given]
) -> None:
    book, now = account.book, account.history.newest
    session, whose = book.session, (book.program_id, book.member_id)
    for lost in entry.withdrawals(before.tier, after.tier, now.rules, known):
        gave = grants.transactions_of(session, *whose, lost.grant)
        taken = ledger.take_unspent(
            book, gave, lost.points, ledger.ISSUED, allow_debt=now.rules.refunds.allow_debt
        )
        if taken.moves:
            ledger.post(book, entry.withdrawal_entry(lost, taken, now, book.now))
            grants.note(session, *whose, lost.cause, taken.asked - taken.short)


def _noted(change: Change) -> dict[str, Any]:
    """What the context keeps of it, so that both can be rebuilt from the transactions alone."""
    noted: dict[str, Any] = {}
    if change.credit:
        noted[credits.PINNED] = credits.as_plain(change.credit)
    if change.uses:
        noted["uses"] = {rule: _noted_use(use) for rule, use in change.uses.items()}
        noted["used_at"] = canonical.timestamp(change.used_at)
    return noted


def _noted_use(use: Use) -> dict[str, Any]:
    noted: dict[str, Any] = {"points": use.points, "times": use.times}
    return noted | {"carried": exact(use.carried)} if use.carried else noted


def _use(noted: Mapping[str, Any]) -> Use:
    return Use(noted["points"], noted["times"], Fraction(noted.get("carried", 0)))


def _rows(book: ledger.Book, change: Change) -> list[tuple[Table, Values]]:
    uses = pinning.rows(book, change.entry.id, change.uses, change.used_at)
    rows = [(table_of(RuleUse), row) for row in uses]
    if change.credit:
        whose = book.program_id, book.member_id
        rows.append(credits.row(*whose, change.entry.id, change.credit))
    return rows
