"""The arithmetic of time and spending, over any account that the ledger can reach."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain.ledger import history, moves, state
from loyalty_service.domain.ledger.state import LotState
from tests.domain.ledger.states import DAYS, accounts, day, days, everything, lots


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
def test_time_conserves_points(account: tuple[list[LotState], int], to: datetime) -> None:
    before, debt = account
    after, debt_after, happened = state.advance(before, debt, to)
    expired = sum(
        move.points for due in happened for move in due.moves if move.credit.kind == "expired"
    )
    assert everything(before) - debt == everything(after) - debt_after + expired


@given(accounts(), days, days)
def test_time_in_two_steps_is_time_in_one(
    account: tuple[list[LotState], int], one: datetime, other: datetime
) -> None:
    before, debt = account
    first, last = sorted((one, other))
    halfway, debt_halfway, happened = state.advance(before, debt, first)
    after, debt_after, then = state.advance(halfway, debt_halfway, last)
    assert (after, debt_after, happened + then) == state.advance(before, debt, last)


@given(accounts(), st.lists(days, max_size=12))
def test_time_in_any_number_of_steps_is_time_in_one(
    account: tuple[list[LotState], int], stops: list[datetime]
) -> None:
    (after, debt), happened = account, []
    for stop in sorted(stops):
        after, debt, then = state.advance(after, debt, stop)
        happened += then
    assert (after, debt, happened) == state.advance(*account, max(stops, default=day(-DAYS)))


@given(accounts(), days)
def test_an_instant_comes_only_once(account: tuple[list[LotState], int], to: datetime) -> None:
    after, debt, _ = state.advance(*account, to)
    assert state.advance(after, debt, to) == (after, debt, [])
    assert state.advance(after, debt, to - timedelta(days=3)) == (after, debt, [])


@given(st.data(), days)
def test_time_does_not_depend_on_how_lots_are_told(data: st.DataObject, to: datetime) -> None:
    before, debt = data.draw(accounts())
    after, debt_after, happened = state.advance(before, debt, to)
    others = state.advance(data.draw(st.permutations(before)), debt, to)
    assert (sorted(others[0], key=by_number), others[1]) == (after, debt_after)
    assert [(due.kind, due.at, set(due.moves)) for due in others[2]] == [
        (due.kind, due.at, set(due.moves)) for due in happened
    ]


@given(accounts(), days)
def test_all_that_time_takes_from_a_lot_was_in_it(
    account: tuple[list[LotState], int], to: datetime
) -> None:
    before, debt = account
    after, _, happened = state.advance(before, debt, to)
    gone: Counter[str] = Counter()
    for move in (move for due in happened for move in due.moves if move.credit.lot_id is None):
        gone[str(move.debit.lot_id)] += move.points
    for lot, left in zip(before, after, strict=True):
        assert everything([lot]) - gone[lot.id] == everything([left])


@given(accounts(), days)
def test_points_that_time_lets_end_are_those_past_their_day(
    account: tuple[list[LotState], int], to: datetime
) -> None:
    before, debt = account
    ends = {lot.id: lot.expires_at for lot in before}
    after, _, happened = state.advance(before, debt, to)
    for due in (one for one in happened if one.kind == "expiry"):
        assert all(ends[str(move.debit.lot_id)] <= due.at for move in due.moves)
    for lot in after:
        assert not lot.available or lot.expires_at is None or lot.expires_at > to


@given(accounts(), days)
def test_time_never_makes_anything_negative_nor_debt_beside_available_points(
    account: tuple[list[LotState], int], to: datetime
) -> None:
    after, debt, _ = state.advance(*account, to)
    assert debt >= 0
    assert all(min(lot.pending, lot.available, lot.held) >= 0 for lot in after)
    assert debt == 0 or not any(lot.available for lot in after)


@given(accounts(), days)
def test_after_time_nothing_more_is_due(account: tuple[list[LotState], int], to: datetime) -> None:
    after, _, _ = state.advance(*account, to)
    assert all(lot.due_at > to for lot in after)


@given(accounts(), days)
def test_the_moves_of_time_are_legal_and_make_the_state_that_is_told(
    account: tuple[list[LotState], int], to: datetime
) -> None:
    before, debt = account
    after, debt_after, happened = state.advance(before, debt, to)
    assert [due.at for due in happened] == sorted(due.at for due in happened)
    assert all(due.at <= to for due in happened)
    for due in happened:
        moves.require_legal(due.kind, list(due.moves))
        debt += history.fold(before, due.moves)
        assert all(min(lot.pending, lot.available) >= 0 for lot in before)
    assert (before, debt) == (after, debt_after)


@given(accounts(), days)
def test_time_works_on_copies(account: tuple[list[LotState], int], to: datetime) -> None:
    before, debt = account
    figures = [(lot.pending, lot.available, lot.held) for lot in before]
    state.advance(before, debt, to)
    assert [(lot.pending, lot.available, lot.held) for lot in before] == figures


@given(accounts(), days)
def test_held_points_outlive_their_lots_date(
    account: tuple[list[LotState], int], to: datetime
) -> None:
    before, debt = account
    after, _, _ = state.advance(before, debt, to)
    assert [lot.held for lot in after] == [lot.held for lot in before]


def test_at_one_instant_maturity_comes_first_then_expiry_then_repayment() -> None:
    maturing = a_lot(1, matures_at=day(5), expires_at=None, pending=30)
    ending = a_lot(2, expires_at=day(5), available=20)
    _, debt, happened = state.advance([ending, maturing], 12, day(5))
    assert [(due.kind, due.at) for due in happened] == [
        ("maturity", day(5)),
        ("expiry", day(5)),
        ("repayment", day(5)),
    ]
    assert debt == 0


def test_points_that_end_at_an_instant_repay_no_debt_at_that_instant() -> None:
    maturing = a_lot(1, matures_at=day(5), expires_at=None, pending=5)
    ending = a_lot(2, expires_at=day(5), available=20)
    after, debt, _ = state.advance([ending, maturing], 12, day(5))
    assert debt == 7
    assert everything(after) == 0


def test_what_matures_is_there_at_its_instant_and_not_a_moment_before() -> None:
    lot = a_lot(1, matures_at=day(5), pending=30)
    before, _, nothing = state.advance([lot], 0, day(4))
    assert (before[0].available, nothing) == (0, [])
    after, _, _ = state.advance([lot], 0, day(5))
    assert after[0].available == 30
