"""The machine: whatever is done in whatever order, the service and the model say the same.

After every step the balances are compared; what was forecast is asked again when its moment has
come, what was answered is asked again at the end, when the books are verified as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from loyalty_service.domain.ledger import Balance
from tests.machines.accounts import Account, Tier
from tests.machines.drawing import (
    A_MOMENT,
    FEW_ACTS,
    HOURS,
    STARTS,
    around,
    later,
    person,
    points_given,
    prices,
    rules_drawn,
    shapes,
    tiers,
    waits,
    which,
    who,
)
from tests.machines.model import Exchange, Gift, Model
from tests.machines.programs import PLAIN, ZONES, Rules, Shape
from tests.machines.reserving import Reserving
from tests.machines.shopping import one_of
from tests.machines.verbs import Verbs, figures


@dataclass(frozen=True)
class Forecast:
    """A balance told in advance, and how much had happened by then."""

    told: Balance
    member: int
    acts: int


class LedgerMachine(Reserving, RuleBasedStateMachine):
    """Two members of one program, and all that can happen to their points."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app
        self.acts = 0
        self.sound = False
        self.forecasts: list[Forecast] = []
        self.answered: list[tuple[int, Balance]] = []

    @initialize(
        versions=st.tuples(rules_drawn, rules_drawn),
        zone=st.sampled_from(ZONES),
        day=st.sampled_from(STARTS),
        hour=st.sampled_from(HOURS),
        given=st.tuples(st.integers(1, 60), st.integers(1, 60)),
        shape=shapes,
    )
    def begin(
        self,
        versions: tuple[Rules, Rules],
        zone: str,
        day: str,
        hour: str,
        given: tuple[int, int],
        shape: Shape,
    ) -> None:
        """Points under one version, then under the next: they may end in another order."""
        now = datetime.fromisoformat(f"{day}T{hour}:00").replace(tzinfo=UTC)
        self.open(zone, now, versions[0], shape)
        for rules in versions:
            self.a_new_version(rules)
            for whose, points in enumerate(given):
                self.give(whose, points, "admin")

    def open(self, zone: str, now: datetime, rules: Rules, shape: Shape = PLAIN) -> None:
        """A program with two members who have nothing yet."""
        self.model = Model(zone, now, [Account(), Account()], [(now, rules)], shape)
        self.verbs = Verbs(self.app, now)
        self.verbs.apply(rules.document(self.verbs.program_id, zone, shape))
        self.verbs.enrol("first")
        self.verbs.enrol("second")

    @rule(whose=who, points=points_given, person=person)
    def give(self, whose: int, points: int, person: str) -> None:
        account = self.model.accounts[whose]
        self._both(
            lambda: self.model.give(account, points, person),
            lambda: self.verbs.give(self.verbs.members[whose], points, person),
        )

    @precondition(lambda self: self._rich(1))
    @rule(number=which, but=st.integers(0, 3), person=person)
    def take_what_is_there(self, number: int, but: int, person: str) -> None:
        account = one_of(self._rich(1), number)
        points = max(1, account.available() - but)
        self.give(self.model.accounts.index(account), -points, person)

    @precondition(lambda self: self.model.gifts)
    @rule(number=which, person=person)
    def undo(self, number: int, person: str) -> None:
        gift: Gift = one_of(self.model.gifts, number)
        id_ = self.verbs.gifts[self.model.gifts.index(gift)]
        self._both(lambda: self.model.undo(gift, person), lambda: self.verbs.undo(id_, person))

    @precondition(lambda self: self.model.gifts)
    @rule(number=which, person=person)
    def undo_what_is_spent(self, number: int, person: str) -> None:
        account = one_of(self.model.gifts, number).account
        if points := account.available():
            self.give(self.model.accounts.index(account), -points, "admin")
            number += 1
        self.undo(number, person)

    @rule(whose=who, price=prices | st.just(("slice", 8)))
    def redeem(self, whose: int, price: tuple[str, int]) -> None:
        account = self.model.accounts[whose]
        self._both(
            lambda: self.model.place(account, *price),
            lambda: self.verbs.place(self.verbs.members[whose], *price),
        )

    @precondition(lambda self: self._rich(7))
    @rule(number=which, price=prices)
    def redeem_what_is_there(self, number: int, price: tuple[str, int]) -> None:
        self.redeem(self.model.accounts.index(one_of(self._rich(7), number)), price)

    @precondition(lambda self: self.model.exchanges)
    @rule(number=which, step=st.sampled_from(("issued", "failed", "cancel", "unused", "used")))
    def the_code(self, number: int, step: str) -> None:
        """One thing that Stripe or a caller says about a code, in its turn or not."""
        one: Exchange = one_of(self.model.exchanges, number)
        id_ = self.verbs.exchanges[self.model.exchanges.index(one)]
        times = int(step == "used")
        model, verbs = {
            "issued": (lambda: self.model.issued(one), lambda: self.verbs.issued(id_)),
            "failed": (lambda: self.model.failed(one), lambda: self.verbs.failed(id_)),
            "cancel": (
                lambda: self.model.ask_to_cancel(one),
                lambda: self.verbs.ask_to_cancel(id_),
            ),
        }.get(
            step,
            (
                lambda: self.model.withdrawn(one, times),
                lambda: self.verbs.withdrawn(id_, times),
            ),
        )
        self._both(model, verbs)

    @precondition(lambda self: self._under_way())
    @rule(number=which, fails=st.booleans(), later=later)
    def comes_to_nothing(self, number: int, fails: bool, later: timedelta | None) -> None:
        """The points come back: soon, or when their last day has passed."""
        one: Exchange = one_of(self._under_way(), number)
        ends = max((lot.expires_at for lot, _ in one.parts if lot.expires_at), default=None)
        if ends and later is not None:
            self._move_to(max(self.model.now, ends + later))
        place = len(self.model.exchanges) - 1 - self.model.exchanges.index(one)
        for step in ("failed",) if fails else ("issued", "cancel", "unused"):
            self.the_code(place, step)

    @rule(whose=who, status=st.sampled_from(("active", "active", "suspended", "closed")))
    def change_status(self, whose: int, status: str) -> None:
        status = "active" if status == "closed" and self.acts < FEW_ACTS else status
        account = self.model.accounts[whose]
        self._both(
            lambda: self.model.change_status(account, status),
            lambda: self.verbs.change_status(self.verbs.members[whose], status),
        )

    @precondition(lambda self: not self.model.shape.has_tiers)
    @rule(whose=who, drawn=tiers)
    def a_tier(
        self, whose: int, drawn: list[tuple[timedelta, str | None, bool, timedelta | None]]
    ) -> None:
        """A tier from now on, and those that time will bring after it."""
        account, at, made = self.model.accounts[whose], self.model.now, []
        for after, name, holds_back, lasts in drawn:
            at += after if made else timedelta(0)
            made.append(Tier(at, name, holds_back, at + lasts if lasts is not None else None))
        self._both(
            lambda: self.model.stand(account, made),
            lambda: self.verbs.stand(self.verbs.members[whose], made),
        )

    @rule(rules=rules_drawn)
    def a_new_version(self, rules: Rules) -> None:
        self._begin_act()
        # The text in force again makes no version.
        if rules != self.model.rules:
            self.model.versions.append((self.model.now, rules))
        document = rules.document(self.verbs.program_id, self.model.zone, self.model.shape)
        self.verbs.apply(document)
        self._end_act()

    @rule(whose=who)
    def touch(self, whose: int) -> None:
        """What fell due is written down; no answer changes."""
        self._both(lambda: None, lambda: self.verbs.touch(self.verbs.members[whose]))

    @rule(whose=who, ahead=waits)
    def look_ahead(self, whose: int, ahead: timedelta) -> None:
        at = self.model.now + ahead
        told = self.verbs.balance(self.verbs.members[whose], at)
        assert figures(told) == self.model.forecast(self.model.accounts[whose], at)
        self.forecasts.append(Forecast(told, whose, self.acts))

    @precondition(lambda self: self.answered)
    @rule(number=which)
    def look_back(self, number: int) -> None:
        whose, told = one_of(self.answered, number)
        assert self.verbs.balance(self.verbs.members[whose], told.at) == told

    @rule(wait=waits)
    def wait(self, wait: timedelta) -> None:
        self._move_to(self.model.now + wait)

    @rule(whose=who, around=around)
    def wait_for_what_is_due(self, whose: int, around: timedelta) -> None:
        due = self.model.accounts[whose].next_due()
        if due and due + around > self.model.now:
            self._move_to(due + around)

    def teardown(self) -> None:
        if not self.sound:
            return
        for whose, account in enumerate(self.model.accounts):
            for at in [due for due in [account.next_due()] if due]:
                self.look_ahead(whose, at - self.model.now)
        self._move_to(self.model.now + timedelta(days=4, hours=7))
        for whose, told in self.answered:
            assert self.verbs.balance(self.verbs.members[whose], told.at) == told
        for member, account in zip(self.verbs.members, self.model.accounts, strict=True):
            self.verbs.touch(member)
            assert self.verbs.lots(member) == [lot.row() for lot in account.lots]
        statuses = [self.verbs.status_of(id_) for id_ in self.verbs.exchanges]
        assert statuses == [one.status for one in self.model.exchanges]
        dues = [self.verbs.due(order_id) for order_id in self.model.orders]
        assert dues == [order.due for order in self.model.orders.values()]
        told = self.verbs.told_of_holds()
        assert told == [one.told() for one in self.model.holds]
        assert self.verbs.differences() == []

    def _rich(self, points: int) -> list[Account]:
        """Who can spend that many."""
        return [account for account in self.model.accounts if account.available() >= points]

    def _under_way(self) -> list[Exchange]:
        return [one for one in self.model.exchanges if one.status in ("pending", "issued")]

    def _both(self, model: Callable[[], str | None], verbs: Callable[[], str | None]) -> None:
        """One act on both sides: done by both, or refused by both with the same code."""
        self._begin_act()
        expected = model()
        done = verbs()
        assert done == expected, f"the service says {done!r}, the model {expected!r}"
        self._end_act()

    def _begin_act(self) -> None:
        self.sound = False
        self.acts += 1
        # Of an answer given in the very instant of an act, nobody can say which came first.
        self.answered = [(whose, told) for whose, told in self.answered if told.at < self.model.now]

    def _end_act(self) -> None:
        self._move_to(self.model.now + A_MOMENT)
        self.answered += enumerate(self.seen)

    def _move_to(self, to: datetime) -> None:
        """Time passes; what was forecast for a moment on the way is what the balance was then."""
        self.sound = False
        self.verbs.now = to
        due = [one for one in self.forecasts if one.told.at <= to and one.acts == self.acts]
        for one in due:
            assert self.verbs.balance(self.verbs.members[one.member], one.told.at) == one.told
        self.forecasts = [one for one in self.forecasts if one.told.at > to]
        self.model.pass_time(to)
        self._compare()

    def _compare(self) -> None:
        self.seen = self.verbs.balances()
        for seen in self.seen:
            assert min(seen.available, seen.pending, seen.debt, seen.held) >= 0
            assert not (seen.available and seen.debt)
        assert [figures(one) for one in self.seen] == [
            account.figures() for account in self.model.accounts
        ]
        self.sound = True
