"""What campaigns multiply by, piece by piece, and what they give on top."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from loyalty_service.domain.earning.basis import Basis, OrderBasis, Piece, holds, names_line
from loyalty_service.domain.earning.pins import Pins
from loyalty_service.domain.program.document import (
    Campaign,
    Counted,
    EarningRule,
    Program,
    Stacking,
)
from loyalty_service.domain.program.document.earning import ALL_ITEMS

ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Factor:
    """By what a piece is multiplied, and the campaigns that made it so (the tier's apart)."""

    factor: Fraction
    campaigns: tuple[str, ...] = ()


def running(rules: Program, basis: Basis, pins: Pins) -> list[Campaign]:
    """The campaigns that apply to this fact, in the document's order."""
    return [one for one in rules.campaigns if _applies(one, basis, pins)]


def factor(stacking: Stacking, tier: Fraction, chosen: Iterable[Campaign], pins: Pins) -> Factor:
    """Multiply the tier's factor with what some campaigns make together.

    `best` takes the largest alone, `sum` adds what each adds, `multiply` multiplies them all.
    """
    effects = [(one, effect) for one in chosen if (effect := _effect(one, tier, pins)) is not None]
    if not effects:
        return Factor(tier)
    if stacking is Stacking.BEST:
        best, effect = max(effects, key=lambda pair: pair[1])
        return Factor(tier * effect, (best.id,)) if effect > 1 else Factor(tier)
    together = ONE
    for _, effect in effects:
        together = together + effect - 1 if stacking is Stacking.SUM else together * effect
    return Factor(tier * together, tuple(one.id for one, _ in effects))


def meant_for(rule: EarningRule, campaigns: Iterable[Campaign]) -> list[Campaign]:
    """The multiplying campaigns that are meant for a rule."""
    return [
        one
        for one in campaigns
        if one.bonus_points is None and (not one.rules or rule.id in one.rules)
    ]


def by_campaigns(
    pieces: Iterable[Piece], campaigns: Sequence[Campaign]
) -> dict[tuple[int, ...], int]:
    """What counts, put together by the campaigns that multiply it (their places in the list)."""
    found: dict[tuple[int, ...], int] = defaultdict(int)
    if all(one.items == ALL_ITEMS for one in campaigns):
        found[tuple(range(len(campaigns)))] = sum(piece.amount for piece in pieces)
        return found
    for piece in pieces:
        places = (place for place, one in enumerate(campaigns) if _is_for(one, piece))
        found[tuple(places)] += piece.amount
    return found


def _is_for(campaign: Campaign, piece: Piece) -> bool:
    # What is no line, such as shipping, is multiplied by what asks for no items.
    if piece.line is None:
        return campaign.items == ALL_ITEMS
    return names_line(campaign.items, piece.line)


def _applies(campaign: Campaign, basis: Basis, pins: Pins) -> bool:
    if basis.name not in campaign.on or campaign.id in pins.stopped:
        return False
    counted = 0
    if isinstance(basis, OrderBasis):
        pieces = basis.money((Counted.MERCHANDISE,), campaign.items)
        counted = sum(piece.amount for piece in pieces)
        if campaign.items != ALL_ITEMS and not basis.has_items(campaign.items):
            return False
    return holds(basis, campaign.conditions, pins, counted_minor=counted)


def _effect(campaign: Campaign, tier: Fraction, pins: Pins) -> Fraction | None:
    """By how much a campaign multiplies what the tier made; None where it has nothing to say."""
    own = campaign.multiplier
    if own is None:
        own = dict(campaign.multipliers).get(pins.tier or "")
    if own is None:
        return None
    return own / tier if campaign.instead_of_tier else own
