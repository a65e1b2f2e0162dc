"""What moves change: figures are sums of moves, and only legal transfers are made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain.ledger import history, moves
from loyalty_service.domain.ledger.moves import LOT_SIDES, MEMBER_SIDES, SYSTEM_SIDES, Move, Side
from loyalty_service.domain.ledger.state import LotState
from tests.domain.ledger.states import day

LOTS = ("lot_1", "lot_2", "lot_3")

member_sides = st.builds(Side, st.sampled_from(LOT_SIDES), st.sampled_from(LOTS)) | st.just(
    moves.DEBT
)
system_sides = st.sampled_from(SYSTEM_SIDES).map(Side)
some_moves = st.lists(
    st.builds(Move, member_sides, member_sides | system_sides, st.integers(1, 10**12))
    | st.builds(Move, system_sides, member_sides, st.integers(1, 10**12)),
    max_size=8,
)


def empty_lots() -> list[LotState]:
    return [LotState(id_, 1, day(0), day(0), None) for id_ in LOTS]


@given(some_moves)
def test_a_figure_is_the_sum_of_moves_over_the_lots(some: list[Move]) -> None:
    lots = empty_lots()
    debt = history.fold(lots, some)
    for place in LOT_SIDES:
        assert moves.change(some, place) == sum(getattr(lot, place) for lot in lots)
    assert moves.change(some, "debt") == debt


@given(some_moves)
def test_what_the_member_gains_the_system_accounts_give(some: list[Move]) -> None:
    assert moves.total_change(some) == -sum(moves.change(some, kind) for kind in SYSTEM_SIDES)


@given(some_moves, some_moves)
def test_changes_add_up(some: list[Move], more: list[Move]) -> None:
    for figure in MEMBER_SIDES:
        together = moves.change(some + more, figure)
        assert together == moves.change(some, figure) + moves.change(more, figure)
    assert moves.earned(some + more) == moves.earned(some) + moves.earned(more)


def test_debt_is_counted_as_what_is_owed() -> None:
    taken_back = [Move(moves.DEBT, moves.ISSUED, 30)]
    assert moves.change(taken_back, "debt") == 30
    assert moves.total_change(taken_back) == -30
    repaid = [Move(moves.available("lot_1"), moves.DEBT, 10)]
    assert moves.change(repaid, "debt") == -10
    assert moves.total_change(repaid) == 0


def test_lifetime_earnings_are_what_was_issued_less_what_was_clawed_back() -> None:
    issued = Move(moves.ISSUED, moves.pending("lot_1"), 100)
    back = Move(moves.pending("lot_1"), moves.ISSUED, 30)
    owed = Move(moves.DEBT, moves.ISSUED, 5)
    given_by_hand = Move(moves.ADJUSTED, moves.available("lot_2"), 50)
    spent = Move(moves.available("lot_1"), moves.REDEEMED, 10)
    assert moves.earned([issued, back, owed, given_by_hand, spent]) == 65


@pytest.mark.parametrize("points", [0, -1, moves.POINTS_MAX + 1])
def test_a_move_of_no_points_or_too_many_is_our_own_bug(points: int) -> None:
    wrong = [Move(moves.ISSUED, moves.pending("lot_1"), points)]
    with pytest.raises(AssertionError, match=str(points)):
        moves.require_legal("earn", wrong)


def test_a_transfer_that_its_kind_cannot_make_is_our_own_bug() -> None:
    wrong = [Move(moves.available("lot_1"), moves.REDEEMED, 10)]
    with pytest.raises(AssertionError, match="earn can't move points from available to redeemed"):
        moves.require_legal("earn", wrong)


def test_every_legal_transfer_has_the_member_on_one_side() -> None:
    for kind, pairs in moves.LEGAL.items():
        for debit, credit in pairs:
            assert not (debit in SYSTEM_SIDES and credit in SYSTEM_SIDES), kind
