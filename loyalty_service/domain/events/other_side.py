"""What an event gives to the other member that it names: once, as a job of its own."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.db import insert_unless_there
from loyalty_service.domain import calendar, crediting, expiry, jobs, ledger, program
from loyalty_service.domain.crediting import Account, Change
from loyalty_service.domain.earning import TierCredit, limiting
from loyalty_service.domain.earning.lots import points_in
from loyalty_service.domain.events.deciding import sides
from loyalty_service.domain.events.table import Event, require
from loyalty_service.domain.members import CLOSED
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.program.document import Activity
from loyalty_service.domain.tiers.tables import Grant

OTHER_SIDE = "other_side"


def settle(session: Session, job: jobs.Claimed) -> None:
    """Give the other member of an event what its rules say, once."""
    kept = ledger.require_transaction(session, job.program_id, job.subject_id)
    context = json.loads(kept.context)
    event = require(session, job.program_id, context["event"])
    number = context["program_version"]
    rules = program.version(session, job.program_id, number)
    giving = sides(rules, event.type, context["explanation"]["rules"])
    points = sum(rule.other_side.points for rule in giving if rule.other_side)
    account, _ = crediting.open_account(
        session, job.program_id, str(event.other_member_id), Ahead.EXPIRING
    )
    # Under the lock: whoever takes it back looks for what was given under the same one.
    is_kept = ledger.find_reversal(session, job.program_id, kept.id) is None
    if points and is_kept and account.member.status != CLOSED:
        _give(account, rules, number, event, points, max(rule.pending_days for rule in giving))
    jobs.done(session, job)


def cause_of(event: Event) -> str:
    """Under which name the other side of an event is given once."""
    return f"other_side:{event.transaction_id}"


def change(
    rules: program.Program,
    event: dict[str, Any],
    points: int,
    pending_days: int,
    *,
    balance: int,
    tier: str | None,
    now: datetime,
) -> Change | None:
    """What the other member of an event gets now, as it is posted; `event` names it.

    No more than leads up to the balance cap, and None where that is nothing; `balance` is what the
    member has of any kind.
    """
    headroom = limiting.balance_headroom(rules, balance)
    points = points if headroom is None else min(points, headroom)
    if not points:
        return None
    moves, lots = points_in(
        points,
        earned_at=now,
        matures_at=calendar.matures_at(now, pending_days, rules.zone),
        expires_at=expiry.lot_end(rules, tier, now),
        at=now,
    )
    context = {"cause": "other_side", **event, "points": points}
    return Change(
        cause="other_side",
        entry=ledger.Entry("earn", moves, now, context, new_lots=lots),
        version=event["program_version"],
        day=calendar.local_date(now, rules.zone),
        used_at=now,
        tier_credit=TierCredit(),
        uses={},
        activity=Activity.EVENT,
    )


def _give(
    account: Account,
    rules: program.Program,
    number: int,
    event: Event,
    points: int,
    pending_days: int,
) -> None:
    book = account.book
    cause = cause_of(event)
    if book.session.get(Grant, (book.program_id, book.member_id, cause)) is not None:
        return
    made = change(
        rules,
        {"event": event.id, "event_type": event.type, "program_version": number},
        points,
        pending_days,
        balance=book.available + book.pending + book.held,
        tier=crediting.tier_at(account, book.now),
        now=book.now,
    )
    if made is None:
        return
    crediting.post(account, made)
    row = {
        "program_id": book.program_id,
        "member_id": book.member_id,
        "cause": cause,
        "transaction_id": made.entry.id,
        "points": ledger.total_change(made.entry.moves),
        "withdrawn": 0,
        "recorded_at": clock.now(),
    }
    assert insert_unless_there(book.session, Grant, row), "granted twice under the account's lock"
