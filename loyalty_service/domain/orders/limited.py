"""An amendment takes nothing that other orders have used up since."""

from loyalty_service.domain import crediting
from loyalty_service.domain.crediting import Account
from loyalty_service.domain.earning import NO_USE, Earned, pinning
from loyalty_service.domain.orders.earned import Pinned
from loyalty_service.domain.program.document import ORDER
from loyalty_service.errors import AmendmentAboveLimits


def require_room(account: Account, order_id: str, known: Pinned, was: Earned, due: Earned) -> None:
    """Refuse to give more than limits leave now; raises AmendmentAboveLimits.

    What an order is due is decided by the limits as they were. Amended down, and up again after
    another order, it would have them twice.
    """
    if due.points <= was.points:
        return
    now = pinning.pins(
        account.book,
        known.rules,
        account.member,
        tier=crediting.tier_at(account, known.moment),
        on=ORDER,
        at=known.moment,
    )
    room = now.balance_headroom
    if room is not None and due.points - was.points > room:
        raise _refusal(order_id, "the balance cap")
    for name, use in due.uses.items():
        before = was.uses.get(name, NO_USE)
        is_above = use.points - before.points > now.headroom.get(name, use.points)
        if is_above or (use.times > before.times and name in now.stopped):
            raise _refusal(order_id, f"the limits of {name}")


def _refusal(order_id: str, what: str) -> AmendmentAboveLimits:
    return AmendmentAboveLimits(
        f"Other orders have used up {what} since order {order_id!r}; record what was added as an "
        "order of its own.",
        param="lines",
    )
