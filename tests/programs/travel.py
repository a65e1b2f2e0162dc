"""A shop whose clock goes where a story wants it, and the calls of that story."""

import math
from datetime import UTC, datetime
from typing import Any

from loyalty_service import db
from tests.shop import Shop


class Travel(Shop):
    """One program with its keys, at a moment of our own."""

    def go_to(self, at: str) -> None:
        """Move business time on to a moment."""
        wanted = datetime.fromisoformat(at).astimezone(UTC)
        # Never a fraction of a second short of it.
        seconds = math.ceil((wanted - self.now()).total_seconds())
        assert seconds >= 0, f"{at} is over"
        with self.app.app_context():
            db.transaction(lambda session: db.move_clock(session, seconds))

    def buy(self, member: str, amount_minor: int, **more: Any) -> Any:
        """An order of one item, placed now, in the program's currency."""
        more.setdefault("currency", self.get("/v1/program")["currency"])
        return self.order(member, amount_minor, **more)

    def earned(self, member: str, amount_minor: int, **more: Any) -> int:
        """The points of an order of one item."""
        return int(self.buy(member, amount_minor, **more)["points_earned"])

    def taken_back(self, order: Any, amount_minor: int) -> int:
        """By how many points an order is due less after a refund of an amount."""
        return int(self.refund(order["id"], amount=amount_minor)["points_taken"])

    def tell(self, member: str, type_: str, **data: Any) -> Any:
        """An event that happened just now."""
        return self.event(member, type_, data=data)

    def tier(self, member: str) -> str:
        """The id of the tier that a member holds."""
        return str(self.get(f"/v1/members/{member}")["tier"]["id"])

    def points(self, member: str) -> int:
        """Points that can be spent or wait."""
        balance = self.balance(member)
        return int(balance["available"] + balance["pending"])
