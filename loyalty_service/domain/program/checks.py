"""What only shows when a whole program is read: sections that contradict each other."""

from collections.abc import Iterator

import yaml

from loyalty_service.domain import calendar
from loyalty_service.domain.program.document import (
    Campaign,
    EarningRule,
    Expiry,
    Program,
    TriggerKind,
)
from loyalty_service.domain.program.places import Place, Section, suggestion


def check(section: Section, program: Program) -> None:
    """Note each contradiction. The figures mean something only where all else is right."""
    if section.place.faults:
        return
    _check_downgrade(section.at("expiry"), program)
    _check_campaigns(section.at("campaigns"), program)
    _check_waiting(section.at("earning"), program)
    _check_offers(section.at("thank_you"), program)


def _check_downgrade(place: Place, program: Program) -> None:
    """Points that a tier kept alive need a date when the tier is lost."""
    levels = program.tiers.levels if program.tiers else ()
    keeps = next((level for level in levels if level.expiry_never), None)
    expiry = program.expiry
    if expiry is None:
        return
    if keeps is not None and expiry.after_downgrade is None:
        place.at("after_downgrade").fault(
            f"is missing; points never expire in tier {keeps.id}, so say when they may after it is "
            "lost: month, quarter or year",
            value="",
        )
    elif keeps is None and expiry.after_downgrade is not None:
        place.at("after_downgrade").fault("has no effect; no tier has expiry: never")


def _check_campaigns(place: Place, program: Program) -> None:
    for entry, campaign in zip(_entries(place), program.campaigns, strict=True):
        for at, rule_id in enumerate(campaign.rules):
            message = _wrong_rule(program, campaign, rule_id)
            if message:
                list(_entries(entry.at("rules")))[at].fault(message)
        if campaign.bonus_points is None and not any(_multiplied(program, campaign)):
            entry.fault("multiplies nothing; no rule that takes campaigns earns there")


def _wrong_rule(program: Program, campaign: Campaign, rule_id: str) -> str | None:
    rule = next((rule for rule in program.earning if rule.id == rule_id), None)
    if rule is None:
        return f"is not a rule; {suggestion(rule_id, (rule.id for rule in program.earning))}"
    if rule.on not in campaign.on:
        return f"earns on {rule.on}, which is not under on; add it there"
    if not rule.campaigns:
        return "takes no campaigns; remove campaigns: false from the rule"
    return None


def _multiplied(program: Program, campaign: Campaign) -> Iterator[EarningRule]:
    return (rule for rule in program.earning if rule.campaigns and rule.on in campaign.on)


def _check_waiting(place: Place, program: Program) -> None:
    """Points that run out before they mature could never be spent."""
    lives = [(calendar.shortest_life_days(expiry), where) for expiry, where in _expiries(program)]
    for entry, rule in zip(_entries(place), program.earning, strict=True):
        for life_days, where in lives:
            if rule.pending_days > 0 and rule.pending_days >= life_days:
                entry.at("pending_days").fault(
                    f"days of waiting outlast the points, which may live only {life_days} days"
                    f"{where}; wait less or let them live longer"
                )
                return


def _check_offers(place: Place, program: Program) -> None:
    """Nobody reaches the lowest tier, and staff give nothing without a reason."""
    lowest = program.tiers.levels[0].id if program.tiers else None
    for entry, offer in zip(_entries(place), program.thank_you, strict=True):
        trigger = offer.trigger
        if trigger.tier is not None and trigger.tier == lowest:
            entry.at("trigger").at("tier_reached").fault(
                "is where everybody begins; name a tier above it"
            )
        if trigger.kind is TriggerKind.STAFF and not program.goodwill.reasons:
            entry.at("trigger").fault("needs reasons to choose from; list some under goodwill")


def _expiries(program: Program) -> Iterator[tuple[Expiry, str]]:
    if program.expiry is not None:
        yield program.expiry, ""
    for level in program.tiers.levels if program.tiers else ():
        if level.expiry is not None:
            yield level.expiry, f" in tier {level.id}"


def _entries(place: Place) -> Iterator[Place]:
    """The places of a list that was read without a fault; none where there is no list."""
    nodes = place.node.value if isinstance(place.node, yaml.SequenceNode) else []
    for index, node in enumerate(nodes):
        yield Place(node, f"{place.path}[{index}]", place.faults)
