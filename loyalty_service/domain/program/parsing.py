"""Reading a program document: from YAML text to a `Program`, or to every fault in it at once."""

import functools

from loyalty_service.domain.program import (
    campaigns,
    checks,
    earning_rules,
    event_types,
    nodes,
    policies,
    rewards,
    thank_you,
    tiers,
    values,
)
from loyalty_service.domain.program.declared import Declared
from loyalty_service.domain.program.document import (
    EarnWhen,
    EventType,
    Goodwill,
    PointValue,
    Program,
    Refunds,
    Reward,
    RewardType,
    Stacking,
    Stripe,
    Tiers,
    WhenSpent,
)
from loyalty_service.domain.program.faults import InvalidProgram, ProgramFault
from loyalty_service.domain.program.places import Place, Section

__all__ = ["InvalidProgram", "ProgramFault", "parse"]

_DEFAULT_LATE_DAYS = 30

_program_id = values.identifier("[a-z][a-z0-9-]{1,39}", "beauty-eu")


def parse(text: str) -> Program:
    """Read a program document; raise InvalidProgram naming every fault and its line."""
    faults: list[ProgramFault] = []
    program = _program(Section(Place(nodes.compose(text), "", faults)))
    if faults:
        raise InvalidProgram(faults)
    return program


def _program(section: Section) -> Program:
    currency = section.required("currency", values.currency)
    events, levels, declared = _declared(section, currency)
    read_rewards = functools.partial(rewards.rewards, declared=declared)
    rules = functools.partial(earning_rules.rules, declared=declared)
    offered = section.optional("rewards", read_rewards, ())
    worth = functools.partial(_point_value, currency=currency)
    program = Program(
        id=section.required("id", _program_id),
        name=section.required("name", values.name),
        timezone=section.required("timezone", values.timezone),
        currency=currency,
        late_days=section.optional("late_days", values.days, _DEFAULT_LATE_DAYS),
        earning=section.required("earning", rules),
        expiry=section.required("expiry", policies.expiry),
        refunds=section.optional("refunds", policies.refunds, Refunds(WhenSpent.ALLOW_DEBT)),
        restored_points=section.optional(
            "restored_points", policies.restored_points, policies.DEFAULT_RESTORED_POINTS
        ),
        rewards=offered,
        goodwill=section.optional("goodwill", policies.goodwill, Goodwill((), ())),
        stripe=section.optional("stripe", policies.stripe, Stripe(None)),
        earn_when=section.optional("earn_when", values.choice(EarnWhen), EarnWhen.PLACED),
        balance_cap=section.optional("balance_cap", values.points, None),
        events=events,
        campaigns=section.optional(
            "campaigns", functools.partial(campaigns.campaigns, declared=declared), ()
        ),
        stacking=section.optional("stacking", values.choice(Stacking), Stacking.BEST),
        tiers=levels,
        point_value=section.optional("point_value", worth, _slab_value(offered)),
        thank_you=section.optional(
            "thank_you", functools.partial(thank_you.offers, declared=declared), ()
        ),
    )
    section.refuse_others()
    checks.check(section, program)
    return program


def _declared(
    section: Section, currency: str
) -> tuple[tuple[EventType, ...], Tiers | None, Declared]:
    """Read first what the other sections may name."""
    faults = section.place.faults
    before = len(faults)
    events = section.optional("events", event_types.event_types, event_types.BUILT_IN)
    events_right = len(faults) == before
    levels = section.optional("tiers", functools.partial(tiers.tiers, currency=currency), None)
    tier_ids = tiers.ids(section.at("tiers")) if "tiers" in section else ()
    tiers_readable = "tiers" not in section or bool(tier_ids)
    known = Declared(
        currency=currency,
        events=events if events_right else None,
        tiers=tier_ids if tiers_readable else None,
    )
    return events, levels, known


def _point_value(place: Place, *, currency: str) -> PointValue:
    section = Section(place)
    value = PointValue(
        points=section.required("points", values.points),
        amount_minor=section.required("worth", values.amount(currency)),
    )
    section.refuse_others()
    return value


def _slab_value(offered: tuple[Reward, ...]) -> PointValue | None:
    """What points are worth by the cheapest slab that takes money off."""
    slabs = [
        PointValue(slab.points, slab.amount_off_minor)
        for reward in offered
        if reward.type is RewardType.AMOUNT_OFF
        for slab in reward.slabs
        if slab.points and slab.amount_off_minor
    ]
    return min(slabs, key=lambda value: value.points, default=None)
