"""The ledger: accounts, lots, immutable transactions and their postings.

`open_book` locks an account and posts what fell due; `post` writes new transactions; `balance`
answers for any moment; `verify` rebuilds every figure from the postings. A `Standing` is the tier
that is held and how it holds expiry back; an `Entry` brings a new one.
"""

from loyalty_service.domain.ledger.balances import (
    Balance,
    balance,
    balance_of,
    balances_now,
)
from loyalty_service.domain.ledger.book import (
    bring_up_to_date,
    is_due,
    lots_to_spend,
    open_book,
    post,
    spending,
)
from loyalty_service.domain.ledger.entries import Book, Entry, Expiring, Standing, Step
from loyalty_service.domain.ledger.history import find_reversal, moves_of, page, require_transaction
from loyalty_service.domain.ledger.moves import (
    ADJUSTED,
    DEBT,
    EXPIRED,
    ISSUED,
    REDEEMED,
    Move,
    Side,
    available,
    held,
    pending,
    total_change,
)
from loyalty_service.domain.ledger.reserved import Hold
from loyalty_service.domain.ledger.returning import (
    claw_back,
    restore,
    take_again,
    take_back_again,
    take_unspent,
)
from loyalty_service.domain.ledger.state import LotState, NewLot, spend
from loyalty_service.domain.ledger.tables import Account, Lot, Posting, Transaction
from loyalty_service.domain.limits import POINTS_MAX

__all__ = [
    "ADJUSTED",
    "DEBT",
    "EXPIRED",
    "ISSUED",
    "POINTS_MAX",
    "REDEEMED",
    "Account",
    "Balance",
    "Book",
    "Entry",
    "Expiring",
    "Hold",
    "Lot",
    "LotState",
    "Move",
    "NewLot",
    "Posting",
    "Side",
    "Standing",
    "Step",
    "Transaction",
    "available",
    "balance",
    "balance_of",
    "balances_now",
    "bring_up_to_date",
    "claw_back",
    "find_reversal",
    "held",
    "is_due",
    "lots_to_spend",
    "moves_of",
    "open_book",
    "page",
    "pending",
    "post",
    "require_transaction",
    "restore",
    "spend",
    "spending",
    "take_again",
    "take_back_again",
    "take_unspent",
    "total_change",
]
