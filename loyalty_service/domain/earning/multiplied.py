"""By what a part of a share was multiplied, one factor after the other, as one would say it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from loyalty_service.domain.earning.explained import Explanation, Part, RuleShare
from loyalty_service.domain.program.document import Campaign, Program, Stacking


@dataclass(frozen=True, slots=True)
class Multiplied:
    """One factor, by the names of what made it: a tier, or campaigns (several made it together)."""

    factor: Fraction
    tier: str | None = None
    campaigns: tuple[str, ...] = ()


def multiplied(
    part: Part, share: RuleShare, explanation: Explanation, rules: Program
) -> list[Multiplied]:
    """The factors of a part; what they make together is its multiplier. Empty where it is 1.

    `rules` are those of the version that decided; names are the pinned ones.
    """
    whole = Fraction(part["multiplier"])
    if whole == 1:
        return []
    known = {campaign.id: campaign for campaign in rules.campaigns}
    ids = part.get("campaigns", [])
    chosen = [known[one] for one in ids if one in known]
    tier, names = explanation.get("tier"), explanation.get("names", {})
    tier_name = names.get(tier or "", tier)
    if not ids:
        return [Multiplied(whole, tier=tier_name)]
    of_tier = _of_tier(share, tier, chosen, rules)
    own = [_own(one, tier) for one in chosen]
    together = tuple(names.get(one, one) for one in ids)
    found = list(_by_tier(of_tier, tier_name))
    is_each = len(own) == 1 or rules.stacking is Stacking.MULTIPLY
    if is_each and len(own) == len(ids) and of_tier * prod(own) == whole:
        each = zip(own, together, strict=True)
        return found + [Multiplied(factor, campaigns=(name,)) for factor, name in each]
    return [*found, Multiplied(whole / of_tier, campaigns=together)]


def _of_tier(
    share: RuleShare, tier: str | None, chosen: Sequence[Campaign], rules: Program
) -> Fraction:
    """The tier's own factor, where it was multiplied with at all."""
    rule = next((one for one in rules.earning if one.id == share["rule"]), None)
    if rule is None or not rule.tier_multiplier or any(one.instead_of_tier for one in chosen):
        return Fraction(1)
    return rules.multiplier_of(tier)


def _own(campaign: Campaign, tier: str | None) -> Fraction:
    return campaign.multiplier or dict(campaign.multipliers).get(tier or "") or Fraction(1)


def _by_tier(factor: Fraction, name: str | None) -> Iterator[Multiplied]:
    if factor != 1 and name:
        yield Multiplied(factor, tier=name)
