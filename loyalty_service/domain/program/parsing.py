"""Reading a program document: from YAML text to a `Program`, or to every fault in it at once."""

import functools

from loyalty_service.domain import calendar
from loyalty_service.domain.program import nodes, policies, prices, values
from loyalty_service.domain.program.document import (
    Counted,
    EarningRule,
    Goodwill,
    Program,
    Refunds,
    Rounding,
    Stripe,
    WhenSpent,
)
from loyalty_service.domain.program.faults import InvalidProgram, ProgramFault
from loyalty_service.domain.program.places import Place, Section, entries, refuse_twice

__all__ = ["InvalidProgram", "ProgramFault", "parse"]

_DEFAULT_LATE_DAYS = 30
_MAX_RULES = 100

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
    earning = functools.partial(_earning, currency=currency)
    rewards = functools.partial(prices.rewards, currency=currency)
    program = Program(
        id=section.required("id", _program_id),
        name=section.required("name", values.name),
        timezone=section.required("timezone", values.timezone),
        currency=currency,
        late_days=section.optional("late_days", values.days, _DEFAULT_LATE_DAYS),
        earning=section.required("earning", earning),
        expiry=section.required("expiry", policies.expiry),
        refunds=section.optional("refunds", policies.refunds, Refunds(WhenSpent.ALLOW_DEBT)),
        restored_points=section.optional(
            "restored_points", policies.restored_points, policies.DEFAULT_RESTORED_POINTS
        ),
        rewards=section.optional("rewards", rewards, ()),
        goodwill=section.optional("goodwill", policies.goodwill, Goodwill((), ())),
        stripe=section.optional("stripe", policies.stripe, Stripe(None)),
    )
    section.refuse_others()
    _check_waiting(section.at("earning"), program)
    return program


def _earning(place: Place, *, currency: str) -> tuple[EarningRule, ...]:
    read = functools.partial(_rule, currency=currency)
    rules = entries(place, read, _MAX_RULES)
    refuse_twice((entry.at("id"), rule.id) for entry, rule in rules)
    for entry, rule in rules[1:]:
        first = rules[0][1]
        if rule.pending_days != first.pending_days:
            entry.at("pending_days").fault(
                f"differs from rule {first.id}; an order's points wait together, "
                f"so give {first.pending_days} in each rule"
            )
    return tuple(rule for _, rule in rules)


def _rule(place: Place, *, currency: str) -> EarningRule:
    section = Section(place)
    rate = section.required("points", values.ratio)
    rule = EarningRule(
        id=section.required("id", values.entry_id),
        on=section.required("on", values.one_of(("order",))),
        points_numerator=rate.numerator,
        points_denominator=rate.denominator,
        per_minor=section.required("per", values.amount(currency)),
        counts=section.required("counts", _counts),
        rounding=section.required("rounding", values.choice(Rounding)),
        pending_days=section.required("pending_days", values.days),
    )
    section.refuse_others()
    return rule


def _counts(place: Place) -> tuple[Counted, ...]:
    if not place.node.value:
        place.fault(f"counts nothing; list some of {', '.join(Counted)}", value="")
        return ()
    counts = entries(place, values.choice(Counted), len(Counted))
    refuse_twice(counts)
    return tuple(counted for _, counted in counts)


def _check_waiting(place: Place, program: Program) -> None:
    # Points that run out before they mature could never be spent. The figures mean something only
    # where all else is right.
    if place.faults or program.expiry is None:
        return
    life_days = calendar.shortest_life_days(program.expiry)
    if program.pending_days >= life_days:
        _first_waiting(place).fault(
            f"days of waiting outlast the points, which may live only {life_days} days; "
            "wait less or let them live longer"
        )


def _first_waiting(place: Place) -> Place:
    return Place(place.node.value[0], f"{place.path}[0]", place.faults).at("pending_days")
