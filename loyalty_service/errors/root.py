"""The root of all refusals, and the catalogue of those that have a code of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = ["FieldFault", "LoyaltyError", "catalogue"]


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One wrong field: where, which rule, and what would be right."""

    param: str
    code: str
    detail: str


class LoyaltyError(Exception):
    """The root of all refusals."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"
    retryable: ClassVar[bool] = False
    kept: ClassVar[bool] = False
    # What its customers read; one refusal may say more than its kind does.
    customer_message: str | None = None

    def __init__(
        self,
        detail: str = "",
        *,
        param: str | None = None,
        faults: Sequence[FieldFault] = (),
        customer_message: str | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        if customer_message:
            self.customer_message = customer_message
        self.detail = detail or self.title
        self.param = param
        self.faults = tuple(faults)


def catalogue() -> list[type[LoyaltyError]]:
    """Every error class that has a code of its own, by code."""
    found: dict[str, type[LoyaltyError]] = {}
    waiting: list[type[LoyaltyError]] = [LoyaltyError]
    while waiting:
        kind = waiting.pop()
        if "code" in vars(kind):
            found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return [found[code] for code in sorted(found)]
