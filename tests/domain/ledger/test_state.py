"""The arithmetic of time and spending, over any account that the ledger can reach."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain.ledger import history, moves, state
from loyalty_service.domain.ledger.standing import Standing, Step
from loyalty_service.domain.ledger.state import LotState
from tests.domain.ledger.states import (
    DAYS,
    Account,
    accounts,
    day,
    days,
    everything,
    lots,
    with_holds,
)


def by_number(lot: LotState) -> int:
    return lot.number


def shuffled(
    drawn: st.SearchStrategy[list[LotState]],
) -> st.SearchStrategy[tuple[list[LotState], list[LotState]]]:
    """Lots, and the same ones in another order."""
    return drawn.flatmap(lambda of: st.tuples(st.just(of), st.permutations(of)))


def a_lot(number: int = 1, **more: object) -> LotState:
    values = {"earned_at": day(0), "matures_at": day(1), "expires_at": day(9), **more}
    return LotState(id=f"lot_{number}", number=number, **values)  # type: ignore[arg-type]


@given(lots(), st.integers(0, 400))
def test_spending_takes_what_was_asked_or_all_there_is(of: list[LotState], points: int) -> None:
    taken = state.spend(of, points)
    assert sum(part for _, part in taken) == min(points, sum(lot.available for lot in of))
    assert all(0 < part <= lot.available for lot, part in taken)
    assert len({lot.id for lot, _ in taken}) == len(taken)


@given(lots(), st.integers(0, 400))
def test_spending_empties_each_lot_before_it_touches_one_that_lasts_longer(
    of: list[LotState], points: int
) -> None:
    taken = {lot.id: part for lot, part in state.spend(of, points)}
    for sooner, later in pairwise(sorted(of, key=lambda lot: lot.spend_order)):
        if taken.get(later.id):
            assert taken.get(sooner.id, 0) == sooner.available


@given(shuffled(lots()), st.integers(0, 400))
def test_spending_does_not_depend_on_how_lots_are_told(
    of: tuple[list[LotState], list[LotState]], points: int
) -> None:
    told, otherwise = ([(lot.id, part) for lot, part in state.spend(order, points)] for order in of)
    assert told == otherwise


@given(lots(), st.integers(0, 200), st.integers(0, 200))
def test_spending_twice_takes_what_spending_once_takes(
    of: list[LotState], first: int, then: int
) -> None:
    at_once = {lot.id: part for lot, part in state.spend(of, first + then)}
    taken: Counter[str] = Counter()
    for points in (first, then):
        for lot, part in state.spend(of, points):
            lot.available -= part
            taken[lot.id] += part
    assert taken == at_once


def test_lots_of_one_expiry_are_spent_oldest_first() -> None:
    newer = a_lot(1, earned_at=day(3), available=10)
    older = a_lot(2, earned_at=day(2), available=10)
    same_day = a_lot(3, earned_at=day(2), available=10)
    order = [lot.number for lot, _ in state.spend([newer, same_day, older], 30)]
    assert order == [2, 3, 1]


def test_points_that_never_expire_are_spent_last() -> None:
    lasting = a_lot(1, expires_at=None, available=10)
    ending = a_lot(2, earned_at=day(1), available=10)
    assert [lot.number for lot, _ in state.spend([lasting, ending], 15)] == [2, 1]


@given(accounts(), days)
def test_time_conserves_points(account: Account, to: datetime) -> None:
    before, debt, _ = account
    after, debt_after, _, happened = state.advance(*account, to)
    expired = sum(
        move.points for due in happened for move in due.moves if move.credit.kind == "expired"
    )
    assert everything(before) - debt == everything(after) - debt_after + expired


@given(accounts(), days, days)
def test_time_in_two_steps_is_time_in_one(account: Account, one: datetime, other: datetime) -> None:
    first, last = sorted((one, other))
    *halfway, happened = state.advance(*account, first)
    *after, then = state.advance(*halfway, last)
    assert (*after, happened + then) == state.advance(*account, last)


@given(accounts(), st.lists(days, max_size=12))
def test_time_in_any_number_of_steps_is_time_in_one(
    account: Account, stops: list[datetime]
) -> None:
    after, happened = account, []
    for stop in sorted(stops):
        *after, then = state.advance(*after, stop)
        happened += then
    assert (*after, happened) == state.advance(*account, max(stops, default=day(-DAYS)))


Holding = tuple[Account, list[state.Held]]


@given(with_holds(), st.lists(days, max_size=6))
def test_holds_end_the_same_in_any_number_of_steps(made: Holding, stops: list[datetime]) -> None:
    account, holds = made
    after, happened = account, []
    for stop in sorted(stops):
        *after, then = state.advance(*after, stop, holds)
        holds = [hold for hold in holds if hold.ends_at > stop]
        happened += then
    account, holds = made
    assert (*after, happened) == state.advance(*account, max(stops, default=day(-DAYS)), holds)


@given(with_holds(), days)
def test_holds_that_end_conserve_points_and_pay_debt_first(made: Holding, to: datetime) -> None:
    (before, debt, standing), holds = made
    after, debt_after, _, happened = state.advance(before, debt, standing, to, holds)
    expired = sum(
        move.points for due in happened for move in due.moves if move.credit.kind == "expired"
    )
    assert everything(before) - debt == everything(after) - debt_after + expired
    reserved = sum(move.points for hold in holds if hold.ends_at > to for move in hold.moves)
    assert sum(lot.held for lot in after) == reserved
    assert not (debt_after and sum(lot.available for lot in after))
    assert [due.at for due in happened] == sorted(due.at for due in happened)


@given(with_holds())
def test_held_points_never_expire_while_they_are_held(made: Holding) -> None:
    (before, debt, standing), _ = made
    after, *_ = state.advance(before, debt, standing, day(DAYS * 3))
    assert sum(lot.held for lot in after) == sum(lot.held for lot in before)


@given(accounts(), days)
def test_an_instant_comes_only_once(account: Account, to: datetime) -> None:
    *after, _ = state.advance(*account, to)
    assert state.advance(*after, to) == (*after, [])
    assert state.advance(*after, to - timedelta(days=3)) == (*after, [])


@given(st.data(), days)
def test_time_does_not_depend_on_how_lots_are_told(data: st.DataObject, to: datetime) -> None:
    before, *rest = data.draw(accounts())
    after, *rest_after, happened = state.advance(before, *rest, to)
    others = state.advance(data.draw(st.permutations(before)), *rest, to)
    assert (sorted(others[0], key=by_number), *others[1:3]) == (after, *rest_after)
    assert [(due.kind, due.at, set(due.moves)) for due in others[3]] == [
        (due.kind, due.at, set(due.moves)) for due in happened
    ]


@given(accounts(), days)
def test_all_that_time_takes_from_a_lot_was_in_it(account: Account, to: datetime) -> None:
    after, _, _, happened = state.advance(*account, to)
    gone: Counter[str] = Counter()
    for move in (move for due in happened for move in due.moves if move.credit.lot_id is None):
        gone[str(move.debit.lot_id)] += move.points
    for lot, left in zip(account[0], after, strict=True):
        assert everything([lot]) - gone[lot.id] == everything([left])


@given(accounts(), days)
def test_points_that_time_lets_end_are_those_past_their_day(account: Account, to: datetime) -> None:
    before, _, standing = account
    ends = {lot.id: lot.expires_at for lot in before}
    after, _, standing_after, happened = state.advance(*account, to)
    for due in happened:
        standing = due.standing or standing
        if due.kind == "expiry":
            assert not standing.expiry_paused
            assert (standing.expires_not_before or due.at) <= due.at
            assert all(ends[str(move.debit.lot_id)] <= due.at for move in due.moves)
    for lot in after:
        if lot.available and lot.expires_at and not standing_after.expiry_paused:
            assert max(lot.expires_at, standing_after.expires_not_before or lot.expires_at) > to


@given(accounts(), days)
def test_a_tier_does_what_was_foreseen_when_it_was_foreseen(account: Account, to: datetime) -> None:
    *_, standing = account
    *_, after, happened = state.advance(*account, to)
    foreseen = [(step.at, step.tier, step.expiry_paused) for step in standing.steps]
    changes = [due for due in happened if due.kind == "tier_change"]
    told = [(due.at, due.standing.tier, due.standing.expiry_paused) for due in changes]
    assert told == [step for step in foreseen if step[0] <= to]
    assert after == (changes[-1].standing if changes else standing)
    floors = [standing.expires_not_before, *(due.standing.expires_not_before for due in changes)]
    known = [floor for floor in floors if floor]
    assert known == sorted(known)


@given(accounts(), days)
def test_nothing_changes_before_the_moment_at_which_time_changes_something(
    account: Account, to: datetime
) -> None:
    *_, happened = state.advance(*account, to)
    lots, _, standing = account
    moments = [state.due_at(lot, standing) for lot in lots]
    moments += [step.at for step in standing.steps]
    first = min(moments, default=state.NEVER)
    assert [due.at for due in happened][:1] == ([first] if first <= to else [])


@given(accounts(), days)
def test_time_never_makes_anything_negative_nor_debt_beside_available_points(
    account: Account, to: datetime
) -> None:
    after, debt, _, _ = state.advance(*account, to)
    assert debt >= 0
    assert all(min(lot.pending, lot.available, lot.held) >= 0 for lot in after)
    assert debt == 0 or not any(lot.available for lot in after)


@given(accounts(), days)
def test_after_time_nothing_more_is_due(account: Account, to: datetime) -> None:
    after, _, standing, _ = state.advance(*account, to)
    assert all(state.due_at(lot, standing) > to for lot in after)
    assert all(step.at > to for step in standing.steps)


@given(accounts(), days)
def test_where_nothing_may_end_nothing_ends(account: Account, to: datetime) -> None:
    *_, standing = account
    *_, happened = state.advance(*account, to)
    if any(due.kind == "expiry" for due in happened):
        assert state.may_end_by(to, standing)


@given(accounts(), days)
def test_the_moves_of_time_are_legal_and_make_the_state_that_is_told(
    account: Account, to: datetime
) -> None:
    before, debt, standing = account
    after, debt_after, standing_after, happened = state.advance(before, debt, standing, to)
    assert [due.at for due in happened] == sorted(due.at for due in happened)
    assert all(due.at <= to for due in happened)
    for due in happened:
        moves.require_legal(due.kind, list(due.moves))
        debt += history.fold(before, due.moves)
        standing = due.standing or standing
        assert all(min(lot.pending, lot.available) >= 0 for lot in before)
    assert (before, debt, standing) == (after, debt_after, standing_after)


@given(accounts(), days)
def test_time_works_on_copies(account: Account, to: datetime) -> None:
    figures = [(lot.pending, lot.available, lot.held) for lot in account[0]]
    state.advance(*account, to)
    assert [(lot.pending, lot.available, lot.held) for lot in account[0]] == figures


@given(accounts(), days)
def test_held_points_outlive_their_lots_date(account: Account, to: datetime) -> None:
    after, *_ = state.advance(*account, to)
    assert [lot.held for lot in after] == [lot.held for lot in account[0]]


def test_at_one_instant_the_tier_changes_then_maturity_then_expiry_then_repayment() -> None:
    maturing = a_lot(1, matures_at=day(5), expires_at=None, pending=30)
    ending = a_lot(2, expires_at=day(5), available=20)
    standing = Standing("gold", day(0), (Step(day(5), None),))
    _, debt, after, happened = state.advance([ending, maturing], 12, standing, day(5))
    assert [(due.kind, due.at) for due in happened] == [
        ("tier_change", day(5)),
        ("maturity", day(5)),
        ("expiry", day(5)),
        ("repayment", day(5)),
    ]
    assert (debt, after) == (0, Standing(None, day(5)))


def test_points_that_end_at_an_instant_repay_no_debt_at_that_instant() -> None:
    maturing = a_lot(1, matures_at=day(5), expires_at=None, pending=5)
    ending = a_lot(2, expires_at=day(5), available=20)
    after, debt, _, _ = state.advance([ending, maturing], 12, Standing(), day(5))
    assert debt == 7
    assert everything(after) == 0


def test_what_matures_is_there_at_its_instant_and_not_a_moment_before() -> None:
    lot = a_lot(1, matures_at=day(5), pending=30)
    before, _, _, nothing = state.advance([lot], 0, Standing(), day(4))
    assert (before[0].available, nothing) == (0, [])
    after, *_ = state.advance([lot], 0, Standing(), day(5))
    assert after[0].available == 30


def test_a_tier_that_saves_points_at_the_instant_of_their_end_saves_them() -> None:
    lot = a_lot(expires_at=day(5), available=20)
    saved = Standing("silver", day(0), (Step(day(5), "gold", expiry_paused=True),))
    (after,), *_ = state.advance([lot], 0, saved, day(9))
    assert after.available == 20


def test_points_that_a_tier_held_back_end_when_it_does_and_not_before() -> None:
    lot = a_lot(expires_at=day(5), available=20)
    held = Standing("gold", day(0), (Step(day(8), "silver"),), expiry_paused=True)
    assert state.ends_at(lot, held) is None
    *_, happened = state.advance([lot], 0, held, day(9))
    assert [(due.kind, due.at) for due in happened] == [("tier_change", day(8)), ("expiry", day(8))]


def test_after_a_tier_points_end_at_their_date_or_at_its_floor_whichever_is_later() -> None:
    sooner, later = a_lot(1, expires_at=day(5)), a_lot(2, expires_at=day(12))
    lasting = a_lot(3, expires_at=None)
    floor = Step(day(8), "silver", expires_not_before=day(10))
    standing = Standing("gold", day(0), (floor,), expiry_paused=True).after_step()
    ends = [state.ends_at(lot, standing) for lot in (sooner, later, lasting)]
    assert ends == [day(10), day(12), None]


def test_a_floor_is_only_ever_raised_by_time() -> None:
    standing = Standing("gold", day(0), (Step(day(8), None, False, day(10)),), False, day(20))
    assert standing.after_step().expires_not_before == day(20)
    assert standing.ends_change_at is None
