"""An explanation in words: what was counted, by what it was multiplied, and what limited it."""

from collections.abc import Iterator
from fractions import Fraction

from loyalty_service.domain.earning.explained import Explanation, Part, RuleShare
from loyalty_service.domain.earning.multiplied import Multiplied, multiplied
from loyalty_service.domain.program.document import EarningRule, Program, Rounding, Span
from loyalty_service.wording import Figure, Money, Voice

_ROUNDED = {
    Rounding.FLOOR: "rounded_down",
    Rounding.NEAREST: "rounded_to_nearest",
    Rounding.CEILING: "rounded_up",
}
_CAPS = {
    Span.ONCE: "cap_once",
    Span.DAY: "cap_day",
    Span.MONTH: "cap_month",
    Span.YEAR: "cap_year",
    Span.EVER: "cap_ever",
}


def why(voice: Voice, explanation: Explanation, rules: Program, points: int) -> str:
    """Why so many points, as part of a sentence; empty where nothing applied.

    `rules` are those of the version that decided.
    """
    # A rule for no points at all is about tiers only.
    shares = [share for share in explanation["rules"] if Fraction(share["points_per"])]
    said = [_share(voice, share, explanation, rules) for share in shares]
    names = explanation.get("names", {})
    for bonus in explanation.get("bonuses", ()):
        name = names.get(bonus["campaign"], bonus["campaign"])
        said.append(voice.say("bonus", campaign=name, points=bonus["points"]))
    if "uncapped" in explanation:
        cap = voice.say("cap_balance", cap=rules.balance_cap or 0)
        said.append(voice.say("share", why=cap, points=points))
    elif len(said) > 1:
        said.append(voice.say("in_all", points=points))
    return voice.in_turn(said)


def _share(voice: Voice, share: RuleShare, explanation: Explanation, rules: Program) -> str:
    rule = next((one for one in rules.earning if one.id == share["rule"]), None)
    parts = [
        *_rate(voice, share, rules.currency),
        *_multiplied(voice, share, explanation, rules),
        *_left_over(voice, share),
        *_limited(voice, share, rule),
    ]
    if not parts:
        return voice.say("points", n=share["points"])
    if "counted_minor" not in share and "items" not in share:
        parts.insert(0, voice.say("points", n=Fraction(share["points_per"])))
    return voice.say("share", why=voice.joined(parts), points=share["points"])


def _rate(voice: Voice, share: RuleShare, currency: str) -> Iterator[str]:
    points = Fraction(share["points_per"])
    if "counted_minor" in share:
        yield voice.say("counted", counted=Money(share["counted_minor"], currency))
        yield voice.say("rate_money", points=points, per=Money(share["per_minor"], currency))
    elif "items" in share:
        yield voice.say("counted", counted=voice.say("items", n=share["items"]))
        yield voice.say("rate_items", points=points)


def _multiplied(
    voice: Voice, share: RuleShare, explanation: Explanation, rules: Program
) -> Iterator[str]:
    parts = [part for part in share.get("parts", ()) if part["counted"]]
    for part in parts:
        factors = [_factor(voice, one) for one in multiplied(part, share, explanation, rules)]
        if factors and len(parts) == 1:
            yield from factors
        elif factors:
            counted = _counted(voice, part, share, rules.currency)
            yield voice.say("of_it", counted=counted, factors=voice.joined(factors))


def _counted(voice: Voice, part: Part, share: RuleShare, currency: str) -> Figure:
    if "items" in share:
        return voice.say("items", n=part["counted"])
    return Money(part["counted"], currency)


def _factor(voice: Voice, one: Multiplied) -> str:
    if one.tier:
        return voice.say("factor_tier", factor=one.factor, tier=one.tier)
    campaigns = voice.joined(list(one.campaigns))
    if len(one.campaigns) > 1:
        return voice.say("factor_together", factor=one.factor, campaigns=campaigns)
    return voice.say("factor_campaign", factor=one.factor, campaign=campaigns)


def _left_over(voice: Voice, share: RuleShare) -> Iterator[str]:
    if "carried_in" in share:
        rest = Fraction(share["carried_in"])
        yield voice.say("carried_in" if rest > 0 else "made_good", points=abs(rest))
    if Fraction(share["exact"]).denominator > 1:
        yield voice.say(_ROUNDED[Rounding(share["rounding"])])


def _limited(voice: Voice, share: RuleShare, rule: EarningRule | None) -> Iterator[str]:
    """The limit on one order where it is what held, else every one over a stretch of time."""
    if "uncapped" not in share or rule is None:
        return
    once = [limit for limit in rule.caps if limit.span is Span.ONCE]
    held = [limit for limit in once if limit.at_most == share["points"]]
    for limit in held or [limit for limit in rule.caps if limit not in once]:
        yield voice.say(_CAPS[limit.span], cap=limit.at_most)
