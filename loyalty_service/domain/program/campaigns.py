"""Reading the campaigns: more points for a while, by a factor or on top."""

import functools
from fractions import Fraction

import yaml

from loyalty_service.domain.program import terms, values
from loyalty_service.domain.program.declared import Declared
from loyalty_service.domain.program.document import ORDER, Campaign
from loyalty_service.domain.program.document.earning import ALL_ITEMS
from loyalty_service.domain.program.places import Place, Section, entries, refuse_twice, several

_MAX_CAMPAIGNS = 200

Multipliers = tuple[tuple[str, Fraction], ...]


def campaigns(place: Place, *, declared: Declared) -> tuple[Campaign, ...]:
    """Read the list of campaigns, each with its own id."""
    listed = entries(place, functools.partial(_campaign, declared=declared), _MAX_CAMPAIGNS)
    refuse_twice((entry.at("id"), campaign.id) for entry, campaign in listed)
    return tuple(campaign for _, campaign in listed)


def _campaign(place: Place, *, declared: Declared) -> Campaign:
    section = Section(place)
    on = section.optional("on", functools.partial(_facts, declared=declared), (ORDER,))
    multiplier, multipliers = section.optional(
        "multiplier", functools.partial(_multiplier, declared=declared), (None, ())
    )
    campaign = Campaign(
        id=section.required("id", values.entry_id),
        name=section.required("name", values.name),
        on=on,
        rules=section.optional("rules", _rules, ()),
        multiplier=multiplier,
        multipliers=multipliers,
        bonus_points=section.optional("bonus_points", values.points, None),
        items=section.optional("items", terms.items, ALL_ITEMS),
        conditions=terms.applies(section, declared, on),
        instead_of_tier=section.optional("instead_of_tier", values.flag, False),
        times=section.optional("times", terms.times, ()),
    )
    section.refuse_others()
    _check(section, campaign)
    return campaign


def _check(section: Section, campaign: Campaign) -> None:
    section.refuse_beside("multiplier", ["bonus_points"])
    if section.readable and "multiplier" not in section and "bonus_points" not in section:
        section.at("multiplier").fault("is missing; add it, or bonus_points", value="")
    if any(fact != ORDER for fact in campaign.on):
        section.refuse_here(["items"], "belongs to orders; give events a campaign of their own")
    if campaign.instead_of_tier and campaign.bonus_points is not None:
        section.at("instead_of_tier").fault("has no effect with bonus_points; remove it")


def _facts(place: Place, *, declared: Declared) -> tuple[str, ...]:
    return several(place, declared.fact, terms.MAX_NAMED, "order and types of events")


def _rules(place: Place) -> tuple[str, ...]:
    return several(place, values.entry_id, terms.MAX_NAMED, "the ids of rules")


def _multiplier(place: Place, *, declared: Declared) -> tuple[Fraction | None, Multipliers]:
    """Read one factor for everybody, or one for each of some tiers."""
    if not isinstance(place.node, yaml.MappingNode):
        return values.ratio(place), ()
    named = Section(place).names()
    if not named:
        place.fault("is empty; give a factor, or one for each tier, such as {gold: 2}")
    return None, tuple((declared.tier(key), values.ratio(value)) for _, key, value in named)
