"""Reading the sections that say how points end, come back and are given by staff."""

import functools

import yaml

from loyalty_service.domain.program import values
from loyalty_service.domain.program.document import (
    Activity,
    Expiry,
    Goodwill,
    GoodwillLimit,
    PastExpiry,
    Period,
    Refunds,
    RestoredPoints,
    Role,
    Stripe,
    StripeFact,
    UnusedCodes,
    WhenSpent,
)
from loyalty_service.domain.program.document.policies import ACTIVITY
from loyalty_service.domain.program.places import (
    Place,
    Section,
    entries,
    refuse_twice,
    several,
    text_of,
)

DEFAULT_RESTORED_POINTS = RestoredPoints(PastExpiry.GRACE_DAYS, 30)

_MAX_MONTHS = 1200
_MAX_REASONS = 50

_variable_name = values.identifier(
    "LOYALTY_STRIPE_API_KEY(_[A-Z0-9_]{1,70})?|(?!LOYALTY_)(?=[A-Z0-9_]*STRIPE)[A-Z][A-Z0-9_]{0,99}",
    "LOYALTY_STRIPE_API_KEY",
    "LOYALTY_STRIPE_API_KEY_ and a name, or another variable whose name holds STRIPE",
)


def expiry(place: Place, *, of_tier: bool = False) -> Expiry | None:
    """Read `never`, or a length since earning or since the last activity, to the end of a period.

    A tier has no `after_downgrade` of its own.
    """
    if isinstance(place.node, yaml.ScalarNode):
        text = text_of(place)
        if text is not None and text != "never":
            place.fault("is not an expiry; write never, or after: {months: 12}")
        return None
    section = Section(place)
    months, days = _length(section)
    found = Expiry(
        months=months,
        days=days,
        until_end_of=section.optional("until_end_of", values.choice(Period), None),
        activity=_activity_of(section),
        after_downgrade=None if of_tier else _after_downgrade(section),
    )
    section.refuse_others()
    if section.clean and months == 0 and found.until_end_of is None:
        where = section.at("after" if "after" in section else "after_inactivity")
        where.at("months").fault("leaves no time; give 1 or more, or add until_end_of")
    return found


def _length(section: Section) -> tuple[int | None, int | None]:
    section.refuse_beside("after", ["after_inactivity"])
    since_activity = section.optional("after_inactivity", _after, None)
    if since_activity is not None and "after" not in section:
        return since_activity
    return section.required("after", _after)


def _activity_of(section: Section) -> tuple[Activity, ...]:
    """Read what keeps points alive: nothing where they are counted from their own day."""
    activity = section.optional("activity", _activity, ACTIVITY)
    if "after_inactivity" in section:
        return activity
    section.refuse_here(["activity"], "belongs to after_inactivity; remove it")
    return ()


def _activity(place: Place) -> tuple[Activity, ...]:
    activity = several(place, values.choice(Activity), len(Activity), ", ".join(Activity))
    if activity and Activity.ORDER not in activity and Activity.EVENT not in activity:
        place.fault("leaves out what earns; add order or event, or points may end unseen", value="")
    return activity


def _after_downgrade(section: Section) -> Period | None:
    return section.optional("after_downgrade", values.choice(Period), None)


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
    unused = section.optional("unused_codes", values.choice(UnusedCodes), UnusedCodes.GIVE_BACK)
    section.refuse_others()
    known = section.at("past_expiry").node.value == policy
    if known and policy is not PastExpiry.GRACE_DAYS and "grace_days" in section:
        section.at("grace_days").fault(
            f"has no effect with {policy}; remove it, or write past_expiry: grace_days"
        )
    return RestoredPoints(policy, grace_days, unused)


def goodwill(place: Place) -> Goodwill:
    """Read the reasons and the limits of staff."""
    section = Section(place)
    reasons = section.required("reasons", _reasons)
    limits = section.optional("limits", _limits, ())
    section.refuse_others()
    return Goodwill(reasons=reasons, limits=limits)


def stripe(place: Place) -> Stripe:
    """Read the name of the variable that holds the Stripe key, and what Stripe tells of earns."""
    section = Section(place)
    name = section.optional("api_key_env", _key_name, None)
    earns = section.optional("earn_from", _facts, ())
    section.refuse_others()
    return Stripe(api_key_env=name, earn_from=earns)


def _facts(place: Place) -> tuple[StripeFact, ...]:
    listed = entries(place, values.choice(StripeFact), len(StripeFact))
    refuse_twice(listed)
    return tuple(fact for _, fact in listed)


def _after(place: Place) -> tuple[int | None, int | None]:
    section = Section(place)
    months = section.optional("months", values.whole(0, _MAX_MONTHS), None)
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
