"""Accounts in any state that the ledger can reach, for the pure tests: lots, debt, tiers, days."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from loyalty_service.domain.ledger.moves import Move, available, held
from loyalty_service.domain.ledger.standing import Standing, Step
from loyalty_service.domain.ledger.state import Held, LotState, WhenExpired

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 40


def day(number: int) -> datetime:
    """The first moment of a day, counted from the start."""
    return START + timedelta(days=number)


# Few days and few points, so that several things often fall due at one instant.
days = st.integers(0, DAYS).map(day)
amounts = st.integers(0, 50)


@st.composite
def lots(draw: st.DrawFn, *, in_debt: bool = False) -> list[LotState]:
    """Lots of one account; with debt nothing is available, as the ledger guarantees."""
    made = []
    for number in range(1, draw(st.integers(0, 6)) + 1):
        matures = draw(st.integers(0, DAYS))
        lives = draw(st.none() | st.integers(1, DAYS))
        is_pending = draw(st.booleans())
        made.append(
            LotState(
                id=f"lot_{number}",
                number=number,
                earned_at=day(draw(st.integers(-DAYS, matures))),
                matures_at=day(matures),
                expires_at=None if lives is None else day(matures + lives),
                pending=draw(amounts) if is_pending else 0,
                available=0 if is_pending or in_debt else draw(amounts),
                held=0 if is_pending else draw(amounts),
            )
        )
    return made


tiers = st.none() | st.sampled_from(("silver", "gold"))
floors = st.none() | days


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    """A tier since before the first day, and what time will do to it."""
    moments = sorted(draw(st.lists(days, max_size=3)))
    steps = [Step(at, draw(tiers), draw(st.booleans()), draw(floors)) for at in moments]
    return Standing(draw(tiers), day(-1), tuple(steps), draw(st.booleans()), draw(floors))


Account = tuple[list[LotState], int, Standing]


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """Lots, debt and standing; never debt beside available points."""
    debt = draw(st.just(0) | st.integers(1, 100))
    standing = draw(st.just(Standing()) | standings())
    return draw(lots(in_debt=debt > 0)), debt, standing


@st.composite
def with_holds(draw: st.DrawFn) -> tuple[Account, list[Held]]:
    """An account all of whose held points are in some holds; what becomes of them is drawn."""
    account = draw(accounts())
    ends = draw(st.lists(days, min_size=1, max_size=3))
    pasts = st.sampled_from((WhenExpired(), WhenExpired(day(DAYS + 9), True), ANEW))
    holds = [(f"hold_{number}", at, draw(pasts)) for number, at in enumerate(ends)]
    reserved: dict[str, list[Move]] = {name: [] for name, *_ in holds}
    for lot in account[0]:
        if lot.held:
            name = draw(st.sampled_from(sorted(reserved)))
            reserved[name].append(Move(available(lot.id), held(lot.id, name), lot.held))
    return account, [
        Held(name, "order", at, tuple(reserved[name]), past) for name, at, past in holds
    ]


ANEW = WhenExpired(None, True, True)


def everything(of: list[LotState]) -> int:
    """All points of some lots."""
    return sum(lot.pending + lot.available + lot.held for lot in of)
