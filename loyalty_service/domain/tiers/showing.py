"""The tiers of members as they are shown: read together, however many members there are."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import program
from loyalty_service.domain.ledger.standing import Standing, of_account
from loyalty_service.domain.ledger.tables import Account
from loyalty_service.domain.members import Member
from loyalty_service.domain.program.versions import NEWEST, Newest
from loyalty_service.domain.tiers import credits
from loyalty_service.domain.tiers.counting import Credit
from loyalty_service.domain.tiers.holding import advanced, hold
from loyalty_service.domain.tiers.progress import Progress, progress


def shown(session: Session, program_id: str, members: Sequence[Member]) -> dict[str, Progress]:
    """Each member's tier now, by id; nobody's where the program has no tiers."""
    row = NEWEST.first(session, of_program=program_id)
    history = program.history(session, program_id, Newest(*row)) if row else None
    if history is None or history.newest.rules.tiers is None:
        return {}
    ids = [member.id for member in members]
    credited = credits.of_members(session, program_id, ids)
    now, stands = clock.now(), _standings(session, program_id, ids)
    return {
        member.id: _progress(history, stands[member.id], credited[member.id], member, now)
        for member in members
    }


def _progress(
    history: program.History, stands: Standing, of: list[Credit], member: Member, now: datetime
) -> Progress:
    versions = history.numbered(one.program_version for one in of)
    held = hold(of, versions, member.enrolled_at, now)
    rules = history.newest.rules
    return progress(advanced(stands, now), held, of, rules, member.enrolled_at, now)


def _standings(session: Session, program_id: str, member_ids: list[str]) -> dict[str, Standing]:
    # Accounts are written by statements that a session's own copy does not see: read them afresh.
    accounts = session.scalars(
        select(Account)
        .where(Account.program_id == program_id, Account.member_id.in_(member_ids))
        .execution_options(populate_existing=True)
    )
    return {account.member_id: of_account(account) for account in accounts}
