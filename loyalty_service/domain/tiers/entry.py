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
from loyalty_service.domain.ledger import Entry, LotState, Move, NewLot
from loyalty_service.domain.ledger.entries import Standing
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
    """Points of a lost tier's grant that are still there, and the moves that take them back."""

    tier: str
    period: str
    points: int
    moves: tuple[Move, ...]
    transaction_id: str

    @property
    def cause(self) -> str:
        """The name of the grant."""
        return cause_of(self.tier, self.period)


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
    period = _period(rules, enrolled_at, at)
    gifts = [Gift(tier.id, period, tier.entry_points) for tier in _between(rules, before, after)]
    found = [_due(gift, grants.get(gift.cause)) for gift in gifts]
    return [gift for gift in found if gift.points]


def withdrawals(
    before: Standing,
    after: str | None,
    rules: Program,
    enrolled_at: datetime,
    at: datetime,
    grants: Mapping[str, Given],
    lots: Mapping[str, Sequence[LotState]],
) -> list[Withdrawal]:
    """What a refund takes back with the tiers that it takes: what is left in the grants' own lots.

    Of the period in which the tier that stood `before` was reached. `lots` are those of each
    grant, by cause (see `grants.lots_of`).
    """
    period = _period(rules, enrolled_at, before.since or at)
    found = []
    for tier in _between(rules, after, before.tier):
        grant = grants.get(cause_of(tier.id, period))
        if grant and (moves := _taking(grant, lots.get(grant.cause, ()))):
            points = sum(move.points for move in moves)
            found.append(Withdrawal(tier.id, period, points, moves, grant.transaction_id))
    return found


def gift_entry(gift: Gift, program: InForce, after: str | None, at: datetime) -> Entry:
    """A gift's transaction, available at once; points end as others earned in the tier `after`."""
    rules = program.rules
    expiry = tier_of(rules, after).expiry or rules.expiry
    ends = calendar.expires_at(at, expiry, rules.zone)
    lot = NewLot(id=ids.new("lot"), earned_at=at, matures_at=at, expires_at=ends)
    moves = [Move(ledger.ISSUED, ledger.available(lot.id), gift.points)]
    context = _context(GIVEN, gift, program.version)
    return Entry("earn", moves, at, context, gift.again, [lot])


def withdrawal_entry(withdrawal: Withdrawal, program: InForce, at: datetime) -> Entry:
    """A withdrawal's transaction, which names the one that gave the points first."""
    context = _context(WITHDRAWN, withdrawal, program.version)
    return Entry("claw_back", list(withdrawal.moves), at, context, withdrawal.transaction_id)


def _between(rules: Program, lower: str | None, upper: str | None) -> Sequence[Tier]:
    """The tiers above one up to and including another."""
    levels = tiers_of(rules).levels
    first, last = (levels.index(tier_of(rules, name)) for name in (lower, upper))
    return levels[first + 1 : last + 1]


def _period(rules: Program, enrolled_at: datetime, at: datetime) -> str:
    enrolled = calendar.local_date(enrolled_at, rules.zone)
    return windows.label(tiers_of(rules).window, calendar.local_date(at, rules.zone), enrolled)


def _due(gift: Gift, grant: Given | None) -> Gift:
    if grant is None:
        return gift
    return Gift(gift.tier, gift.period, grant.withdrawn, grant.transaction_id)


def _taking(grant: Given, lots: Sequence[LotState]) -> tuple[Move, ...]:
    left = grant.points - grant.withdrawn
    moves = []
    for lot in lots:
        if part := min(lot.available, left):
            moves.append(Move(ledger.available(lot.id), ledger.ISSUED, part))
            left -= part
    return tuple(moves)


def _context(cause: str, of: Gift | Withdrawal, version: int) -> dict[str, Any]:
    return {"cause": cause, "tier": of.tier, "period": of.period, "program_version": version}
