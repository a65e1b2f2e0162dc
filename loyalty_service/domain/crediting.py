"""Posting what a fact gives or takes: points, what counts towards the tier, and what follows of it.

One entry says it all: the points, the tier credit, what limited rules gave, and the dates that
activity moves. A tier that is reached or lost by it is a transaction of its own right behind it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock
from loyalty_service.domain import expiry, ledger, opening, program
from loyalty_service.domain.earning import NO_CREDIT, TierCredit, Use, pinning
from loyalty_service.domain.earning.uses import RuleUse
from loyalty_service.domain.ledger.entries import Standing
from loyalty_service.domain.members import Known
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.program.document import Activity
from loyalty_service.domain.tiers import credits, entry, grants, holding
from loyalty_service.domain.tiers.counting import Credit
from loyalty_service.statements import Statement, Values, table_of


@dataclass(frozen=True, slots=True)
class Account:
    """A locked member's book, the versions of the rules, and the tier credits as they stand: what
    is posted joins them."""

    member: Known
    book: ledger.Book
    history: program.History
    credits: list[Credit]


@dataclass(frozen=True, slots=True)
class Change:
    """What a fact does: the entry for the points, and what goes with it.

    `version` decided; `day` is the local date for which it counts, `used_at` the moment. `activity`
    is what the member did, None where it was somebody else.
    """

    cause: str
    entry: ledger.Entry
    version: int
    day: date
    used_at: datetime
    tier_credit: TierCredit
    uses: Mapping[str, Use]
    activity: Activity | None = None


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
    standings = (*book.unposted, book.standing)
    # One without a beginning was there from the first.
    held = [one.tier for one in standings if one.since is None or one.since <= at]
    known = held[-1] if held else credits.tier_at(book.session, book.program_id, book.member_id, at)
    return known or _lowest(account.history.as_of(at).rules)


def post(account: Account, change: Change, beside: Sequence[tuple[Table, Values]] = ()) -> None:
    """Write the entry with what goes with it; then the change of tier and what a new tier gives."""
    book, now = account.book, account.history.newest
    before = moved = book.standing
    if change.activity:
        decided = account.history.number(change.version)
        moved = expiry.after_activity(moved, decided, change.activity, change.entry.occurred_at)
    after = _tier_after(account, change, moved)
    is_other = after.tier != (moved.tier or _lowest(now.rules))
    first = moved if is_other else after
    context = change.entry.context | _noted(change)
    made = replace(
        change.entry,
        context=context,
        standing=first if first != book.standing else None,
    )
    ledger.post(book, made, [*beside, *_rows(book, change)])
    if change.tier_credit != NO_CREDIT:
        account.credits.append(_credit(change))
    if is_other:
        _change_tier(account, change, before, after)


def withdraw_ahead(account: Account, change: Change) -> None:
    """Take back what a tier gave that a change is about to take, before it takes any points.

    Otherwise a refund in one would eat up what the tier gave, and one in parts would not.
    """
    book = account.book
    after = _tier_after(account, change, book.standing)
    if after.tier != book.standing.tier and _gives(account.history.newest.rules):
        known = grants.of_member(book.session, book.program_id, book.member_id)
        _withdraw(account, book.standing, after, known)


def undone(original: ledger.Transaction, entry: ledger.Entry) -> Change:
    """The change that takes back what an event's transaction counted for, with `entry`."""
    context = json.loads(original.context)
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
        uses={rule: Use(-use["points"], -use["times"]) for rule, use in uses.items()},
    )


def _tier_after(account: Account, change: Change, before: Standing) -> Standing:
    rules = account.history.newest.rules
    if rules.tiers is None:
        return before
    counted = change.tier_credit != NO_CREDIT
    if not counted and before.tier is not None:
        return before
    known = [*account.credits, *([_credit(change)] if counted else [])]
    versions = account.history.numbered(one.program_version for one in known)
    held = holding.hold(known, versions, account.member.enrolled_at, account.book.now)
    # Told late, a fact changes the tier from now on at the earliest moment that has no other yet.
    at = max(change.entry.occurred_at, before.since or change.entry.occurred_at)
    return holding.standing(before, held, rules, at)


def _change_tier(account: Account, change: Change, before: Standing, after: Standing) -> None:
    book, now = account.book, account.history.newest
    context = {
        "cause": change.cause,
        "from": before.tier or _lowest(now.rules),
        "to": after.tier,
        "by": change.entry.id,
        "program_version": now.version,
    }
    at = min(after.since or book.now, book.now)
    ledger.post(book, ledger.Entry("tier_change", [], at, context, standing=after))
    _settle_grants(account, before, after)


def _settle_grants(account: Account, before: Standing, after: Standing) -> None:
    """Give what a tier gives on reaching it; take back what is left of it where it is lost."""
    book, now = account.book, account.history.newest
    if not _gives(now.rules):
        return
    session, whose = book.session, (book.program_id, book.member_id)
    known = grants.of_member(session, *whose)
    enrolled_at, at = account.member.enrolled_at, after.since or book.now
    for gift in entry.planned(before.tier, after.tier, now.rules, enrolled_at, at, known):
        given = entry.gift_entry(gift, now, after.tier, book.now)
        new = [] if gift.again else [grants.row(*whose, gift, given, clock.now())]
        ledger.post(book, given, new)
        if gift.again:
            grants.note(session, *whose, gift)
    _withdraw(account, before, after, known)


def _withdraw(
    account: Account, before: Standing, after: Standing, known: Mapping[str, entry.Given]
) -> None:
    book, now = account.book, account.history.newest
    session, whose = book.session, (book.program_id, book.member_id)
    enrolled_at, at = account.member.enrolled_at, after.since or book.now
    lots = grants.lots_of(session, *whose, known)
    for lost in entry.withdrawals(before, after.tier, now.rules, enrolled_at, at, known, lots):
        ledger.post(book, entry.withdrawal_entry(lost, now, book.now))
        grants.note(session, *whose, lost)


def _gives(rules: program.Program) -> bool:
    return bool(rules.tiers and any(one.entry_points for one in rules.tiers.levels))


def _lowest(rules: program.Program) -> str | None:
    return rules.tiers.levels[0].id if rules.tiers else None


def _credit(change: Change) -> Credit:
    counted = change.tier_credit
    return Credit(
        change.day,
        change.version,
        counted.spend_minor,
        counted.base_points,
        counted.points,
        counted.orders,
    )


def _noted(change: Change) -> dict[str, Any]:
    """What the context keeps of it, so that both can be rebuilt from the transactions alone."""
    noted: dict[str, Any] = {}
    if change.tier_credit != NO_CREDIT:
        noted[credits.PINNED] = credits.as_plain(_credit(change))
    if change.uses:
        noted["uses"] = {
            rule: {"points": use.points, "times": use.times} for rule, use in change.uses.items()
        }
        noted["used_at"] = canonical.timestamp(change.used_at)
    return noted


def _rows(book: ledger.Book, change: Change) -> list[tuple[Table, Values]]:
    uses = pinning.rows(book, change.entry.id, change.uses, change.used_at)
    rows = [(table_of(RuleUse), row) for row in uses]
    if change.tier_credit != NO_CREDIT:
        whose = book.program_id, book.member_id
        rows.append(credits.row(*whose, change.entry.id, _credit(change)))
    return rows
