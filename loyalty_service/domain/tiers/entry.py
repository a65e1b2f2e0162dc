"""What reaching a tier gives: points once for a tier and a period, taken back where a refund does.

Pure; entries come ready for `ledger.post`, and `grants` keeps what was given. A grant is given
anew when its tier is reached again: what was withdrawn of it, as a transaction that names the
first one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from loyalty_service import ids
from loyalty_service.domain import calendar, ledger
from loyalty_service.domain.ledger import Entry, Move, NewLot
from loyalty_service.domain.ledger.returning import Returned
from loyalty_service.domain.program.document import Program, Tier
from loyalty_service.domain.program.versions import InForce
from loyalty_service.domain.tiers import windows
from loyalty_service.domain.tiers.holding import tier_of, tiers_of

# How the causes of these grants begin.
PREFIX = "tier:"
GIVEN, WITHDRAWN = "tier_entry", "tier_entry_withdrawn"


class Given(NamedTuple):
    """A grant as it stands: `withdrawn` of its points are gone again."""

    cause: str
    transaction_id: str
    points: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Gift:
    """Points for reaching a tier in a period.

    `again` names the transaction that gave them first, where they were withdrawn meanwhile.
    """

    tier: str
    period: str
    points: int
    again: str | None = None

    @property
    def cause(self) -> str:
        """Under which name it is given once."""
        return cause_of(self.tier, self.period)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A grant of a lost tier: of its points those that were not spent, nor expired, are taken back.

    Points that a refund took before belong to what the refund's order gave: the member has not
    spent them, and owes them once more.
    """

    tier: str
    grant: Given

    @property
    def cause(self) -> str:
        """The name of the grant."""
        return self.grant.cause

    @property
    def points(self) -> int:
        """The most that can be taken back: what was not withdrawn before."""
        return self.grant.points - self.grant.withdrawn


def gives(rules: Program) -> bool:
    """Say whether reaching any of the program's tiers gives points."""
    return bool(rules.tiers and any(tier.entry_points for tier in rules.tiers.levels))


def cause_of(tier: str, period: str) -> str:
    """Under which name the points of a tier and period are given once."""
    return f"{PREFIX}{tier}:{period}"


def planned(
    before: str | None,
    after: str | None,
    rules: Program,
    enrolled_at: datetime,
    at: datetime,
    grants: Mapping[str, Given],
) -> list[Gift]:
    """What the change from one tier to another at a moment gives: for each tier newly reached.

    `grants` are those made so far, by cause. Nothing where the tier is not above the one before.
    """
    period = period_of(rules, enrolled_at, at)
    gifts = [Gift(tier.id, period, tier.entry_points) for tier in between(rules, before, after)]
    found = [_due(gift, grants.get(gift.cause)) for gift in gifts]
    return [gift for gift in found if gift.points]


def withdrawals(
    before: str | None, after: str | None, rules: Program, grants: Mapping[str, Given]
) -> list[Withdrawal]:
    """The grants that a refund takes with the tiers that it takes: for each the last one.

    A tier that was lost to time and reached again was given for again; one that was held all the
    while was given for when it was reached, in whatever period that was.
    """
    found = [
        Withdrawal(tier.id, last)
        for tier in between(rules, after, before)
        if (last := _last(grants, tier.id))
    ]
    return [one for one in found if one.points]


def gift_entry(gift: Gift, program: InForce, after: str | None, at: datetime) -> Entry:
    """A gift's transaction, available at once; points end as others earned in the tier `after`."""
    rules = program.rules
    expiry = tier_of(rules, after).expiry or rules.expiry
    ends = calendar.expires_at(at, expiry, rules.zone)
    lot = NewLot(id=ids.new("lot"), earned_at=at, matures_at=at, expires_at=ends)
    moves = [Move(ledger.ISSUED, ledger.available(lot.id), gift.points)]
    context = _context(GIVEN, gift.tier, gift.period, program.version)
    return Entry("earn", moves, at, context, gift.again, [lot])


def withdrawal_entry(
    withdrawal: Withdrawal, taken: Returned, program: InForce, at: datetime
) -> Entry:
    """A withdrawal's transaction, which names the one that gave the points first."""
    period = withdrawal.cause.removeprefix(cause_of(withdrawal.tier, ""))
    context = _context(WITHDRAWN, withdrawal.tier, period, program.version)
    return Entry("claw_back", taken.moves, at, context, withdrawal.grant.transaction_id)


def between(rules: Program, lower: str | None, upper: str | None) -> Sequence[Tier]:
    """The tiers above one up to and including another."""
    levels = tiers_of(rules).levels
    first, last = (levels.index(tier_of(rules, name)) for name in (lower, upper))
    return levels[first + 1 : last + 1]


def period_of(rules: Program, enrolled_at: datetime, at: datetime) -> str:
    """The period in which a tier gives once: the window of its credits."""
    enrolled = calendar.local_date(enrolled_at, rules.zone)
    return windows.label(tiers_of(rules).window, calendar.local_date(at, rules.zone), enrolled)


def _due(gift: Gift, grant: Given | None) -> Gift:
    if grant is None:
        return gift
    return Gift(gift.tier, gift.period, grant.withdrawn, grant.transaction_id)


def _last(grants: Mapping[str, Given], tier: str) -> Given | None:
    prefix = cause_of(tier, "")
    mine = [grant for cause, grant in grants.items() if cause.startswith(prefix)]
    # Ids sort by the moment at which they were made.
    return max(mine, key=lambda grant: grant.transaction_id, default=None)


def _context(cause: str, tier: str, period: str, version: int) -> dict[str, Any]:
    return {"cause": cause, "tier": tier, "period": period, "program_version": version}
