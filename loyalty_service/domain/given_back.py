"""What is known to be given back of a payment at Stripe. Pure.

Facts, each the latest of its kind by Stripe's own clock, told in any order and more than once.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime

from loyalty_service import canonical
from loyalty_service.errors import CurrencyNotPriced


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What is known to be given back of a payment; moments are Stripe's, in whole seconds.

    All of it is in `currency`, None while nobody has told of any. `refunded` is the sum of refunds
    as of a moment, `failed` what came back to the shop of them, `disputed` what banks have taken.
    """

    refunded_minor: int = 0
    refunded_at: int = 0
    failed: dict[str, tuple[int, int]] = field(default_factory=dict)
    disputed: dict[str, tuple[int, int]] = field(default_factory=dict)
    currency: str | None = None

    def sum_minor(self, amount_minor: int) -> int:
        """How much of a payment is gone, all in all.

        A sum of refunds that is younger than a failure knows of it already; of one second, the
        failure is the younger.
        """
        failed = sum(part for part, at in self.failed.values() if at >= self.refunded_at)
        disputed = sum(part for part, _ in self.disputed.values())
        return max(0, min(amount_minor, self.refunded_minor - failed + disputed))

    def with_refunded(self, refunded_minor: int, at: datetime) -> "GivenBack":
        """Know the sum of refunds as of a moment; of one second the larger sum is the later."""
        told, known = _told(refunded_minor, at), (self.refunded_at, self.refunded_minor)
        latest, most = max(known, (told[1], told[0]))
        return replace(self, refunded_minor=most, refunded_at=latest)

    def with_failed(self, refund_id: str, amount_minor: int, at: datetime) -> "GivenBack":
        """Know of a refund that has failed, which is final."""
        first = min(self.failed.get(refund_id, _told(amount_minor, at)), _told(amount_minor, at))
        return replace(self, failed={**self.failed, refund_id: first})

    def with_disputed(self, dispute_id: str, gone_minor: int, at: datetime) -> "GivenBack":
        """Know how much a dispute holds as of a moment; the later one of two is true."""
        before = self.disputed.get(dispute_id, (0, 0))
        told = _told(gone_minor, at)
        # Of one second, that it is over is the later: an opened dispute holds something.
        later = told if (told[1], -told[0]) >= (before[1], -before[0]) else before
        return replace(self, disputed={**self.disputed, dispute_id: later})

    def of_currency(self, payment_id: str, currency: str) -> "GivenBack":
        """Know a payment's currency; raises CurrencyNotPriced where it is known to be another."""
        if self.currency not in (None, currency):
            raise CurrencyNotPriced(f"{payment_id} was paid in {self.currency}, not {currency}.")
        return replace(self, currency=currency)


def text(known: GivenBack) -> str:
    """The same as canonical JSON; nothing known is always the same text."""
    told: dict[str, object] = {
        "refunded": [known.refunded_minor, known.refunded_at],
        "failed": {name: list(told) for name, told in known.failed.items()},
        "disputed": {name: list(told) for name, told in known.disputed.items()},
    }
    return canonical.dumps(told | ({"currency": known.currency} if known.currency else {}))


def read(text: str) -> GivenBack:
    """The same, back from its text."""
    told = json.loads(text)
    failed, disputed = (
        {name: (part, at) for name, (part, at) in told[kind].items()}
        for kind in ("failed", "disputed")
    )
    refunded_minor, at = told["refunded"]
    # Older rows name no currency.
    return GivenBack(refunded_minor, at, failed, disputed, told.get("currency"))


def _told(amount_minor: int, at: datetime) -> tuple[int, int]:
    return amount_minor, int(at.timestamp())
