"""What limited rules gave, as the transactions say, held against the rows that limits are read
from."""

import json
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service.domain.earning.uses import RuleUse
from loyalty_service.domain.ledger.tables import Transaction
from loyalty_service.domain.ledger.verify import Difference
from loyalty_service.statements import OF_PROGRAM

_MARK = '%"uses":%'

# Made once: to build them costs more than to run them.
_NOTED = select(RuleUse.transaction_id, RuleUse.rule_id, RuleUse.points, RuleUse.times).where(
    RuleUse.program_id == OF_PROGRAM
)
_TOLD = select(Transaction.id, Transaction.context).where(
    Transaction.program_id == OF_PROGRAM, Transaction.context.like(_MARK)
)


def differences(session: Session, program_id: str) -> Iterator[Difference]:
    """Every transaction whose uses are others than its rows."""
    noted: dict[str, dict[str, tuple[int, int]]] = {}
    mine = {"of_program": program_id}
    for transaction_id, rule_id, points, times in session.execute(_NOTED, mine):
        noted.setdefault(transaction_id, {})[rule_id] = points, times
    for transaction_id, context in session.execute(_TOLD, mine):
        uses = json.loads(context).get("uses", {})
        pinned = {rule: (one["points"], one["times"]) for rule, one in uses.items()}
        # A rule that gave nothing and carries nothing on has no row.
        kept = noted.pop(transaction_id, {})
        if {rule: use for rule, use in pinned.items() if any(use)} != {
            rule: use for rule, use in kept.items() if any(use)
        }:
            yield Difference(f"transaction {transaction_id}", f"uses are {kept}, pinned {pinned}")
    for transaction_id in noted:
        yield Difference(f"transaction {transaction_id}", "has uses of rules that it does not pin")
