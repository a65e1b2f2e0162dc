"""What was known when a fact was recorded, beside the fact itself and the rules: decided once.

Refunds and amendments evaluate the same rules with the same pins, whatever has changed since.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Pins:
    """The member and the limits as they were.

    `headroom` is what a rule's caps left it, in points; `stopped` names rules and campaigns that
    could give nothing more (how often, cooldown); `carry` what a rule had left over from before;
    `balance_headroom` what the balance cap left.
    """

    tier: str | None = None
    enrolled_days: int = 0
    is_birthday: bool = False
    is_birthday_month: bool = False
    headroom: Mapping[str, int] = field(default_factory=dict)
    stopped: tuple[str, ...] = ()
    carry: Mapping[str, Fraction] = field(default_factory=dict)
    balance_headroom: int | None = None

    def with_stopped(self, more: Iterable[str]) -> "Pins":
        """The same, and some more rules that give nothing."""
        return replace(self, stopped=tuple(sorted({*self.stopped, *more})))

    def as_json(self) -> dict[str, Any]:
        """The pins as canonical JSON keeps them: what is as by default is left out."""
        noted: dict[str, Any] = {
            "tier": self.tier,
            "enrolled_days": self.enrolled_days,
            "is_birthday": self.is_birthday,
            "is_birthday_month": self.is_birthday_month,
            "headroom": dict(self.headroom),
            "stopped": list(self.stopped),
            "carry": {rule: str(rest) for rule, rest in self.carry.items()},
        }
        noted = {name: value for name, value in noted.items() if value}
        if self.balance_headroom is not None:
            noted["balance_headroom"] = self.balance_headroom
        return noted


def from_json(noted: Mapping[str, Any]) -> Pins:
    """The pins of a context; those of an older one, which had none, are the defaults."""
    return Pins(
        tier=noted.get("tier"),
        enrolled_days=noted.get("enrolled_days", 0),
        is_birthday=noted.get("is_birthday", False),
        is_birthday_month=noted.get("is_birthday_month", False),
        headroom=noted.get("headroom", {}),
        stopped=tuple(noted.get("stopped", ())),
        carry={rule: Fraction(rest) for rule, rest in noted.get("carry", {}).items()},
        balance_headroom=noted.get("balance_headroom"),
    )
