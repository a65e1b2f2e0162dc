"""Drawing lives: rules, and acts in proportions in which most of them find something to act on."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from loyalty_service.domain.orders.table import SOURCE_SHOP, SOURCE_STRIPE
from tests.domain.replaying.histories import History
from tests.domain.replaying.programs import Rules

Act = tuple[Any, ...]
_AGO = (timedelta(0),) * 4 + (timedelta(hours=5), timedelta(days=6), timedelta(days=20))
_HOURS = (1, 4, 24, 80, 300, 900)
_OFTEN = {
    "order": 14,
    "wait": 9,
    "event": 7,
    "refund": 5,
    "returned": 4,
    "redeem": 4,
    "amend": 3,
    "pay": 3,
    "give": 2,
    "undo": 1,
    "undo_event": 1,
    "cancel": 1,
    "fail": 1,
    "pay_with_points": 4,
    "version": 1,
}


def rules_by(random: Random) -> Rules:
    """Rules of a version."""
    return Rules(
        zone=random.choice(("Europe/Berlin", "America/New_York")),
        earn_when=random.choice(("placed", "placed", "paid")),
        cap=random.random() < 0.3,
        per=random.choice(("1.00", "3.00")),
        rounding=random.choice(("floor", "nearest", "ceiling")),
        pending_days=random.choice((0, 0, 3)),
        carry=random.random() < 0.5,
        metric=random.choice(("spend", "qualifying_points", "orders")),
        window=random.choice(("{rolling_months: 1}", "calendar_year", "anniversary")),
        holds_back=random.random() < 0.5,
        expiry=random.choice(("{after: {days: 12}}", "never", "{after_inactivity: {days: 9}}")),
        when_spent=random.choice(("allow_debt", "clamp")),
        past_expiry=random.choice(("grace_days", "original_expiry", "reissue")),
    )


def live(history: History, random: Random, acts: int) -> None:
    """A life of so many acts; every other one begins with a referral, while members are new."""
    history.begin(rules_by(random).document(history.program_id))
    if random.random() < 0.5:
        history.refer(0)
    for _ in range(acts):
        _do(history, random)


def _do(history: History, random: Random) -> None:
    (name,) = random.choices(list(_OFTEN), list(_OFTEN.values()))
    whose, number = random.randrange(2), random.randrange(12)
    acts: dict[str, Callable[[], object]] = {
        "order": lambda: history.order(
            whose,
            random.randint(100, 9000),
            ago=random.choice(_AGO),
            paid=random.random() < 0.7,
            source=random.choice((SOURCE_SHOP, SOURCE_SHOP, SOURCE_STRIPE)),
        ),
        "wait": lambda: history.wait(timedelta(hours=random.choice(_HOURS))),
        "event": lambda: random.choice(
            (
                lambda: history.event(whose, "visit"),
                lambda: history.event(whose, "reload", amount=1300),
                lambda: history.refer(whose),
            )
        )(),
        # Some are here before their order.
        "refund": lambda: history.refund(
            f"order-{number}", random.choice((None, random.randint(1, 3000)))
        ),
        "returned": lambda: history.returned(number, random.choice((0, 0, 30, 50, 100))),
        "redeem": lambda: history.redeem(whose, random.choice((9, 40))),
        "amend": lambda: history.amend(number, random.randint(100, 9000)),
        "pay": lambda: history.pay(number),
        "give": lambda: history.give(whose, random.choice((-7, 5, 60))),
        "undo": lambda: history.undo(number),
        "undo_event": lambda: history.undo_event(number),
        "cancel": lambda: history.cancel(number),
        "fail": lambda: history.fail(number),
        "pay_with_points": lambda: history.pay_with_points(
            whose, number, random.choice((3, 9, 40)), random.choice((2, 9, 40))
        ),
        "version": lambda: history.apply(rules_by(random).document(history.program_id)),
    }
    acts[name]()
