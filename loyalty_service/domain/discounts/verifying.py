"""What `ledger verify` asks of thank-you discounts: that budgets paid for what stands."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from loyalty_service.domain import program
from loyalty_service.domain.codes import CAME_TO_NOTHING
from loyalty_service.domain.counters import Allotment
from loyalty_service.domain.discounts import budgets
from loyalty_service.domain.discounts.table import PREFIX, WITHHELD, Discount
from loyalty_service.domain.ledger.verify import Difference
from loyalty_service.statements import OF_PROGRAM

_AT_ONCE = 500

# Made once: to build them costs more than to run them.
_ROWS = (
    select(Discount)
    .where(Discount.program_id == OF_PROGRAM, Discount.id > bindparam("after"))
    .order_by(Discount.id)
    .limit(_AT_ONCE)
)
_TAKEN = (
    select(Allotment.cause_id, Allotment.counter, func.sum(Allotment.amount))
    .where(
        Allotment.program_id == OF_PROGRAM, Allotment.cause_id.in_(bindparam("ids", expanding=True))
    )
    .group_by(Allotment.cause_id, Allotment.counter)
)
_ALONE = (
    select(Allotment.cause_id)
    .where(Allotment.program_id == OF_PROGRAM, Allotment.cause_id.startswith(f"{PREFIX}_"))
    .where(Allotment.cause_id.not_in(select(Discount.id).where(Discount.program_id == OF_PROGRAM)))
    .distinct()
)


def differences(session: Session, program_id: str) -> Iterator[Difference]:
    """Each discount took from its budgets what its offer says; one that came to nothing, nothing.

    What is left of a budget is then the sum of what stands.
    """
    mine = {"of_program": program_id}
    rows = session.scalars(_ROWS, {**mine, "after": ""}).all()
    while rows:
        taken = _taken(session, program_id, [row.id for row in rows])
        numbers = {row.program_version for row in rows}
        rules = {number: program.version(session, program_id, number) for number in numbers}
        for row in rows:
            has, due = taken.get(row.id, {}), _due(row, rules[row.program_version])
            if has != due:
                yield Difference(
                    f"discount {row.id}",
                    f"is {row.status} and has {_said(has)} of budgets, not {_said(due)}",
                )
        rows = session.scalars(_ROWS, {**mine, "after": rows[-1].id}).all()
    for (cause,) in session.execute(_ALONE, mine):
        yield Difference(f"discount {cause}", "is not there and has a share of a budget")


def _taken(session: Session, program_id: str, ids: list[str]) -> Mapping[str, dict[str, int]]:
    """By discount and counter what its allotments come to; nothing where they are even."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for cause, counter, amount in session.execute(_TAKEN, {"of_program": program_id, "ids": ids}):
        if amount:
            found[cause][counter] = int(amount)
    return found


def _due(row: Discount, rules: program.Program) -> dict[str, int]:
    if row.status in (*CAME_TO_NOTHING, WITHHELD):
        return {}
    offer = rules.offer(row.offer_id)
    assert offer, f"{row.id} was given by an offer that its version does not have"
    return {share.counter: share.amount for share in budgets.shares(offer, row.created_at, rules)}


def _said(shares: Mapping[str, int]) -> str:
    return ", ".join(f"{amount} of {name}" for name, amount in sorted(shares.items())) or "nothing"
