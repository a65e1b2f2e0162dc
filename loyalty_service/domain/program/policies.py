"""Reading the sections that say how points end, come back and are given by staff."""

import functools

import yaml

from loyalty_service.domain.program import values
from loyalty_service.domain.program.document import (
    Expiry,
    Goodwill,
    GoodwillLimit,
    PastExpiry,
    Period,
    Refunds,
    RestoredPoints,
    Role,
    Stripe,
    WhenSpent,
)
from loyalty_service.domain.program.places import Place, Section, entries, refuse_twice, text_of

DEFAULT_RESTORED_POINTS = RestoredPoints(PastExpiry.GRACE_DAYS, 30)

_MAX_MONTHS = 1200
_MAX_REASONS = 50

_variable_name = values.identifier(
    "LOYALTY_STRIPE_API_KEY(_[A-Z0-9_]{1,70})?|(?!LOYALTY_)(?=[A-Z0-9_]*STRIPE)[A-Z][A-Z0-9_]{0,99}",
    "LOYALTY_STRIPE_API_KEY",
    "LOYALTY_STRIPE_API_KEY_ and a name, or another variable whose name holds STRIPE",
)


def expiry(place: Place) -> Expiry | None:
    """Read `never`, or a length and the end of a period."""
    if isinstance(place.node, yaml.ScalarNode):
        text = text_of(place)
        if text is not None and text != "never":
            place.fault("is not an expiry; write never, or after: {months: 12}")
        return None
    section = Section(place)
    months, days = section.required("after", _after)
    until = section.optional("until_end_of", values.choice(Period), None)
    section.refuse_others()
    return Expiry(months=months, days=days, until_end_of=until)


def refunds(place: Place) -> Refunds:
    """Read what a claw-back does about spent points."""
    section = Section(place)
    policy = Refunds(section.required("when_spent", values.choice(WhenSpent)))
    section.refuse_others()
    return policy


def restored_points(place: Place) -> RestoredPoints:
    """Read what becomes of points given back past their date."""
    section = Section(place)
    policy = section.required("past_expiry", values.choice(PastExpiry))
    default = DEFAULT_RESTORED_POINTS.grace_days if policy is PastExpiry.GRACE_DAYS else 0
    grace_days = section.optional("grace_days", values.whole(1, values.MAX_DAYS), default)
    section.refuse_others()
    known = section.at("past_expiry").node.value == policy
    if known and policy is not PastExpiry.GRACE_DAYS and "grace_days" in section:
        section.at("grace_days").fault(
            f"has no effect with {policy}; remove it, or write past_expiry: grace_days"
        )
    return RestoredPoints(past_expiry=policy, grace_days=grace_days)


def goodwill(place: Place) -> Goodwill:
    """Read the reasons and the limits of staff."""
    section = Section(place)
    reasons = section.required("reasons", _reasons)
    limits = section.optional("limits", _limits, ())
    section.refuse_others()
    return Goodwill(reasons=reasons, limits=limits)


def stripe(place: Place) -> Stripe:
    """Read the name of the variable that holds the Stripe key."""
    section = Section(place)
    name = section.optional("api_key_env", _key_name, None)
    section.refuse_others()
    return Stripe(api_key_env=name)


def _after(place: Place) -> tuple[int | None, int | None]:
    section = Section(place)
    months = section.optional("months", values.whole(1, _MAX_MONTHS), None)
    days = section.optional("days", values.whole(1, values.MAX_DAYS), None)
    section.refuse_others()
    if section.readable and ("months" in section) == ("days" in section):
        place.fault("needs one length; give either months or days, such as {months: 12}")
    return months, days


def _reasons(place: Place) -> tuple[str, ...]:
    reasons = entries(place, values.entry_id, _MAX_REASONS)
    refuse_twice(reasons)
    return tuple(reason for _, reason in reasons)


def _limits(place: Place) -> tuple[GoodwillLimit, ...]:
    section = Section(place)
    limits = [section.optional(role, functools.partial(_limit, role=role), None) for role in Role]
    section.refuse_others()
    return tuple(limit for limit in limits if limit is not None)


def _limit(place: Place, *, role: Role) -> GoodwillLimit:
    section = Section(place)
    limit = GoodwillLimit(
        role=role,
        per_grant=section.required("per_grant", values.points),
        per_month=section.required("per_month", values.points),
    )
    section.refuse_others()
    if section.clean and limit.per_grant > limit.per_month:
        section.at("per_grant").fault(
            f"is more than per_month allows; give at most {limit.per_month}"
        )
    return limit


def _key_name(place: Place) -> str:
    text = text_of(place)
    if text is not None and text.startswith(("sk_", "rk_", "pk_")):
        # The message may end up in a log: never show what looks like a key.
        place.fault("holds a key; write the NAME of the variable that holds it", value="")
        return ""
    return _variable_name(place) if text is not None else ""
