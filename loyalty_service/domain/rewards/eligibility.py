"""Who may have a reward: members of some tiers, around their birthday, or by a condition."""

from datetime import date, datetime
from typing import NamedTuple

from loyalty_service.domain import calendar
from loyalty_service.domain.members import Known, Member
from loyalty_service.domain.program import conditions
from loyalty_service.domain.program.conditions import Kind, Value
from loyalty_service.domain.program.document import BirthdayWindow, Program, Reward
from loyalty_service.domain.rewards import dates, words
from loyalty_service.domain.tiers import holding
from loyalty_service.errors import Refusal, RewardNotEligible, RewardNotOnSale


class Facts(NamedTuple):
    """What decides who may have a reward: the member, and the tier held at that moment.

    None is the program's lowest, or no tier where it has none.
    """

    member: Known
    tier: str | None = None


def facts_of(member: Member, tier: str | None) -> Facts:
    """Return what of a member decides, beside the tier held."""
    known = Known(member.id, member.status, member.birthday, member.enrolled_at, member.locale)
    return Facts(known, tier)


def refusal(reward: Reward, facts: Facts, at: datetime, rules: Program) -> Refusal | None:
    """Return why a member can't have the reward at `at`, or None; points and limits apart."""
    if not dates.on_sale(reward, at, rules.zone):
        return RewardNotOnSale(f"{reward.id} is not on sale today.", param="reward")
    if rules.tiers:
        facts = facts._replace(tier=holding.tier_of(rules, facts.tier).id)
    today = calendar.local_date(at, rules.zone)
    return (
        _by_tier(reward, facts, rules)
        or _by_birthday(reward, facts, today, rules)
        or _by_condition(reward, facts, today, rules)
    )


def who_may(reward: Reward, rules: Program) -> str | None:
    """Say for the customer's eyes who may have a reward; None where everybody may."""
    eligible = reward.eligibility
    said = [
        words.for_tiers(_names(eligible.tiers, rules)) if eligible.tiers else "",
        words.around_birthdays(_windows(eligible.birthday, rules)) if eligible.birthday else "",
        words.FOR_SOME if eligible.when else "",
    ]
    return " ".join(sentence for sentence in said if sentence) or None


def _by_tier(reward: Reward, facts: Facts, rules: Program) -> Refusal | None:
    tiers = reward.eligibility.tiers
    if not tiers or facts.tier in tiers:
        return None
    held = f"tier {facts.tier}" if facts.tier else "no tier"
    return _not_eligible(
        f"{reward.id} is for tier {' or '.join(tiers)}; {facts.member.id} has {held}.",
        words.for_tiers(_names(tiers, rules)),
    )


def _by_birthday(reward: Reward, facts: Facts, today: date, rules: Program) -> Refusal | None:
    windows = reward.eligibility.birthday
    if not windows:
        return None
    days = _days_for(windows, facts.tier)
    if days is None:
        message = words.around_birthdays(_windows(windows, rules))
        return _not_eligible(f"{reward.id} has no birthday window for this tier.", message)
    message = words.around_birthday(days)
    birthday = facts.member.birthday
    if birthday is None:
        unknown = f"{reward.id} goes by birthdays, and {facts.member.id} has none."
        return _not_eligible(unknown, f"{message} {words.TELL_US}")
    if dates.is_within_birthday(birthday, days, today):
        return None
    return _not_eligible(f"{reward.id} can be had for {days} days from a birthday on.", message)


def _by_condition(reward: Reward, facts: Facts, today: date, rules: Program) -> Refusal | None:
    when = reward.eligibility.when
    if when is None or conditions.evaluate(Kind.MEMBER, when, _values(facts, today, rules)):
        return None
    return _not_eligible(f"{reward.id} is for members of whom {when} is true.", words.FOR_SOME)


def _values(facts: Facts, today: date, rules: Program) -> dict[str, Value]:
    """What a condition may ask of a member."""
    enrolled = calendar.local_date(facts.member.enrolled_at, rules.zone)
    birthday = facts.member.birthday
    return {
        "member.tier": facts.tier or "",
        "member.enrolled_days": (today - enrolled).days,
        "member.is_birthday": birthday is not None and calendar.is_anniversary(birthday, today),
        "member.is_birthday_month": birthday is not None and birthday.month == today.month,
    }


def _days_for(windows: tuple[BirthdayWindow, ...], tier: str | None) -> int | None:
    """A tier's own window, or that of every other tier."""
    by_tier = {window.tier: window.days for window in windows}
    return by_tier.get(tier, by_tier.get(None))


def _windows(windows: tuple[BirthdayWindow, ...], rules: Program) -> list[tuple[str | None, int]]:
    return [
        (_names((window.tier,), rules)[0] if window.tier else None, window.days)
        for window in windows
    ]


def _names(tier_ids: tuple[str, ...], rules: Program) -> list[str]:
    levels = [rules.tiers.level(tier_id) if rules.tiers else None for tier_id in tier_ids]
    return [level.name if level else id_ for id_, level in zip(tier_ids, levels, strict=True)]


def _not_eligible(detail: str, customer_message: str) -> Refusal:
    return RewardNotEligible(detail, param="reward", customer_message=customer_message)
