"""A program said again in the words of its document, so that two of them can be compared.

What is left out of a document, and has no effect, is left out here; what has a default is written.
"""

from collections.abc import Iterable
from fractions import Fraction

from loyalty_service.domain import money
from loyalty_service.domain.program.document import (
    Campaign,
    Conditions,
    EarningRule,
    Eligibility,
    EventType,
    Expiry,
    Goodwill,
    Items,
    Kept,
    Limit,
    Metric,
    Offer,
    PayWithPoints,
    Program,
    Reward,
    Tier,
    Tiers,
    Trigger,
    Window,
    WindowKind,
)
from loyalty_service.domain.program.tiers import MONTHS

Words = dict[str, "str | Words"]
"""Keys of a document; a value is its text, or the keys below it."""


class Entry(Words):
    """An entry of a list, which has a name and is there or not."""


def program(rules: Program) -> Words:
    """The whole document; amounts in major units."""
    currency = rules.currency
    said = _present(
        id=rules.id,
        name=rules.name,
        timezone=rules.timezone,
        currency=currency,
        late_days=rules.late_days,
        earn_when=rules.earn_when,
        balance_cap=rules.balance_cap,
        expiry=_expiry(rules.expiry),
        stacking=rules.stacking,
        refunds=_present(when_spent=rules.refunds.when_spent),
        restored_points=_present(
            past_expiry=rules.restored_points.past_expiry,
            grace_days=rules.restored_points.grace_days or None,
            unused_codes=rules.restored_points.unused_codes,
        ),
        stripe=_present(
            api_key_env=rules.stripe.api_key_env,
            earn_from=list(rules.stripe.earn_from) or None,
        ),
    )
    if rules.point_value is not None:
        worth = money.format_major(rules.point_value.amount_minor, currency)
        said["point_value"] = _present(points=rules.point_value.points, worth=worth)
    said["events"] = {event.name: _event(event) for event in rules.events}
    said["earning"] = {rule.id: _rule(rule, currency) for rule in rules.earning}
    said["campaigns"] = {one.id: _campaign(one, currency) for one in rules.campaigns}
    said["tiers"] = _tiers(rules.tiers, currency) if rules.tiers else {}
    said["rewards"] = {reward.id: _reward(reward, currency) for reward in rules.rewards}
    said["thank_you"] = {offer.id: _offer(offer, currency) for offer in rules.thank_you}
    said["goodwill"] = _goodwill(rules.goodwill)
    return said


def exact(value: Fraction) -> str:
    """Write an exact number as people do: "2", "1.25", and "1/3" where decimals do not end."""
    if value.denominator == 1:
        return str(value.numerator)
    millionths = value * 1_000_000
    if millionths.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    whole, rest = divmod(int(millionths), 1_000_000)
    return f"{whole}.{rest:06d}".rstrip("0")


def _present(**values: "object | None") -> Words:
    """The keys that have a value, each as it is written; mappings without a key are left out."""
    written = {key: _written(value) for key, value in values.items() if value is not None}
    return {key: value for key, value in written.items() if value not in ("", "[]", {})}


def _written(value: object) -> "str | Words":
    if isinstance(value, dict):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return exact(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return str(value)


def _amount(amount_minor: int | None, currency: str) -> str | None:
    return None if amount_minor is None else money.format_major(amount_minor, currency)


def _event(event: EventType) -> Entry:
    kinds = {
        name: f"{kind}, may be left out" if name in event.optional else str(kind)
        for name, kind in event.fields
    }
    return Entry(kinds)


def _rule(rule: EarningRule, currency: str) -> Entry:
    other, first_minor = rule.other_side, rule.first_order_minimum_minor
    said = _present(
        on=rule.on,
        points=Fraction(rule.points_numerator, rule.points_denominator),
        per="item" if rule.per_item else _amount(rule.per_minor, currency),
        of=rule.of,
        counts=rule.counts,
        items=_items(rule.items),
        rounding=rule.rounding,
        pending_days=rule.pending_days,
        caps=_limits(rule.caps),
        times=_limits(rule.times),
        cooldown=_cooldown(rule.cooldown_seconds),
        carry=rule.carry,
        tier_multiplier=rule.tier_multiplier,
        campaigns=rule.campaigns,
        tier_points="same" if rule.tier_points is None else rule.tier_points,
        other_side=_present(member=other.field, points=other.points) if other else None,
        first_order=_present(minimum=_amount(first_minor, currency)),
    )
    return Entry(said | _conditions(rule.conditions, currency))


def _campaign(campaign: Campaign, currency: str) -> Entry:
    factors: Words = {tier: exact(factor) for tier, factor in campaign.multipliers}
    said = _present(
        name=campaign.name,
        on=campaign.on,
        rules=campaign.rules,
        multiplier=campaign.multiplier or factors,
        bonus_points=campaign.bonus_points,
        items=_items(campaign.items),
        instead_of_tier=campaign.instead_of_tier,
        times=_limits(campaign.times),
    )
    return Entry(said | _conditions(campaign.conditions, currency))


def _items(items: Items) -> Words:
    return _present(
        categories=items.categories,
        skus=items.skus,
        except_categories=items.except_categories,
        except_skus=items.except_skus,
        when=items.when,
    )


def _conditions(conditions: Conditions, currency: str) -> Words:
    return _present(
        **{"from": conditions.from_day},
        until=conditions.until_day,
        weekdays=conditions.weekdays,
        tiers=conditions.tiers,
        birthday=conditions.birthday,
        minimum_spend=_amount(conditions.minimum_spend_minor, currency),
        when=conditions.when,
    )


def _limits(limits: Iterable[Limit]) -> Words:
    return {str(limit.span): str(limit.at_most) for limit in limits}


def _cooldown(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    units = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
    unit, size = next((unit, size) for unit, size in units if seconds % size == 0)
    return f"{{{unit}: {seconds // size}}}"


def _tiers(tiers: Tiers, currency: str) -> Words:
    said = _present(
        metric=tiers.metric,
        counts=tiers.counts,
        items=_items(tiers.items),
        minimum_order=_amount(tiers.minimum_order_minor or None, currency),
        include_multipliers=tiers.include_multipliers,
        window=_window(tiers.window),
        kept=_kept(tiers.kept),
        grace_days=tiers.grace_days,
        downgrade=tiers.downgrade,
    )
    for tier in tiers.levels:
        # A level may be called like a key of this section.
        key = f"levels.{tier.id}" if tier.id in said else tier.id
        said[key] = _tier(tier, tiers.metric, currency)
    return said


def _tier(tier: Tier, metric: Metric, currency: str) -> Entry:
    by_spend = metric is Metric.SPEND
    begins = money.format_major(tier.from_credits, currency) if by_spend else tier.from_credits
    own = _expiry(tier.expiry) if tier.expiry or tier.expiry_never else None
    said = _present(
        name=tier.name,
        **{"from": begins},
        multiplier=tier.multiplier,
        expiry=own,
        entry_points=tier.entry_points or None,
    )
    return Entry(said)


def _window(window: Window) -> "str | Words":
    if window.starts_in is not None:
        return {"fiscal_year_from": MONTHS[window.starts_in - 1]}
    if window.kind is WindowKind.ROLLING:
        return {"rolling_months": str(window.months)}
    return str(window.kind)


def _kept(kept: Kept) -> "str | Words":
    if kept == Kept():
        return "forever"
    return _present(
        months=kept.months,
        until_end_of=kept.until_end_of,
        windows=kept.windows,
        plus_months=kept.plus_months or None,
    )


def _expiry(expiry: Expiry | None) -> "str | Words":
    if expiry is None:
        return "never"
    length = _present(months=expiry.months, days=expiry.days)
    said: Words = {"after_inactivity" if expiry.activity else "after": length}
    return said | _present(
        activity=expiry.activity,
        until_end_of=expiry.until_end_of,
        after_downgrade=expiry.after_downgrade,
    )


def _reward(reward: Reward, currency: str) -> Entry:
    rate = reward.pay_with_points
    said = _present(
        name=reward.name,
        type=reward.type,
        max_share_of_order=reward.max_share_of_order,
        minimum_order=_amount(reward.minimum_order_minor, currency),
        code_lifetime_days=reward.code_lifetime_days,
        stock=reward.stock,
        per_member=_per_member(reward),
        available=_present(
            **{"from": reward.available_from},
            until=reward.available_until,
        ),
        settlement=reward.settlement,
        pay_with_points=_pay_with_points(rate, currency) if rate else None,
        eligible=_eligible(reward.eligibility),
        gives=reward.gives,
    )
    if reward.slabs:
        said["slabs"] = {
            f"{slab.points}": _amount(slab.amount_off_minor, currency)
            or (f"{exact(slab.percent_off)} %" if slab.percent_off else "given")
            for slab in reward.slabs
        }
    return Entry(said)


def _per_member(reward: Reward) -> str | None:
    if reward.per_member is None:
        return None
    return f"{reward.per_member} per {reward.per_member_span}"


def _pay_with_points(rate: PayWithPoints, currency: str) -> Words:
    return _present(
        points=rate.points,
        worth=_amount(rate.amount_minor, currency),
        minimum=rate.minimum,
        step=rate.step,
        maximum=rate.maximum,
    )


def _eligible(eligibility: Eligibility) -> Words:
    windows: Words = {
        window.tier or "every other tier": f"{window.days} days" for window in eligibility.birthday
    }
    return _present(tiers=eligibility.tiers, birthday=windows, when=eligibility.when)


def _offer(offer: Offer, currency: str) -> Entry:
    budget = offer.budget
    said = _present(
        name=offer.name,
        trigger=_trigger(offer.trigger),
        type=offer.type,
        amount_off=_amount(offer.amount_off_minor, currency),
        percent_off=offer.percent_off,
        gives=offer.gives,
        minimum_order=_amount(offer.minimum_order_minor, currency),
        code_lifetime_days=offer.code_lifetime_days,
        settlement=offer.settlement,
        budget=_present(
            month=_amount(budget.month_minor, currency), month_count=budget.month_count
        ),
        counts_as=_amount(offer.counts_as_minor, currency),
        cooldown=_cooldown(offer.cooldown_seconds),
    )
    return Entry(said)


def _trigger(trigger: Trigger) -> "str | Words":
    low = trigger.feedback
    said = _present(
        tier_reached=trigger.tier,
        nth_order=trigger.order_number,
        lapsed_days=trigger.days,
        low_feedback=_present(event=low.event, field=low.field, at_most=low.at_most)
        if low
        else None,
    )
    return said or str(trigger.kind)


def _goodwill(goodwill: Goodwill) -> Words:
    limits: Words = {
        str(limit.role): _present(per_grant=limit.per_grant, per_month=limit.per_month)
        for limit in goodwill.limits
    }
    return _present(reasons=goodwill.reasons, limits=limits)
