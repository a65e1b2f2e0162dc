"""Points that end soon are announced 30 and 7 local days before, each once, to nobody in vain."""

import json
import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import clock, db, worker
from loyalty_service.domain import calendar, expiring, ledger
from loyalty_service.domain.expiring import Ending
from loyalty_service.domain.ledger import LotState, Standing, Step, state
from loyalty_service.domain.ledger.lots import lot_states, lots_of
from loyalty_service.domain.notices import Notice
from tests.domain.ledger.histories import ACTS, few, histories
from tests.domain.ledger.states import DAYS, Account, accounts, day
from tests.domain.ledger.walks import SHORT_LIVED, Walk
from tests.shop import Shop

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
A_DAY = timedelta(days=1)
AN_INSTANT = timedelta(microseconds=1)
# Given at the start, points end with 31 May in Berlin: the two days are 1 and 24 May.
START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
END = datetime(2026, 5, 31, 22, tzinfo=UTC)
MAY_1, MAY_24 = datetime(2026, 4, 30, 22, tzinfo=UTC), datetime(2026, 5, 23, 22, tzinfo=UTC)
LONGER = SHORT_LIVED.replace("{days: 10}", "{months: 2}\n  until_end_of: month")


@pytest.fixture
def walk(app: Flask) -> Walk:
    return Walk(Shop.open(app, LONGER), START)


def look(walk: Walk) -> int:
    """One look of a worker, for every member whose moment has come."""
    return walk.do(lambda session: expiring.warn_due(session, limit=10))


def told(walk: Walk) -> list[tuple[int, datetime, int]]:
    """What was announced, in order: points, their end, and how many days before."""
    mine = select(Notice).where(Notice.member_id == walk.member).order_by(Notice.id)
    rows = walk.do(lambda session: [json.loads(one.data) for one in session.scalars(mine)])
    return [(row["points"], datetime.fromisoformat(row["expires_at"]), row["days"]) for row in rows]


def warn_at(walk: Walk) -> datetime | None:
    """When somebody is to look again."""
    key = (walk.shop.program_id, walk.member)
    return walk.do(lambda session: session.get_one(ledger.Account, key).warn_at)


def at(walk: Walk, moment: datetime) -> list[tuple[int, datetime, int]]:
    """What has been announced once somebody has looked at a moment."""
    walk.now = moment
    look(walk)
    return told(walk)


def a_lot(points: int, end: datetime | None, **more: object) -> LotState:
    values = {"id": "lot_1", "number": 1, "earned_at": day(0), "matures_at": day(0), **more}
    return LotState(expires_at=end, available=points, **values)  # type: ignore[arg-type]


def test_a_new_lot_is_looked_at_in_time_and_announced_on_its_two_days(walk: Walk) -> None:
    walk.adjust(30)
    first_look = warn_at(walk)
    assert first_look is not None
    assert first_look <= MAY_1
    assert at(walk, MAY_1 - AN_INSTANT) == []
    assert warn_at(walk) == MAY_1
    assert at(walk, MAY_1) == [(30, END, 30)]
    assert warn_at(walk) == MAY_24
    assert look(walk) == 0
    assert at(walk, MAY_24 - AN_INSTANT) == [(30, END, 30)]
    assert at(walk, MAY_24) == [(30, END, 30), (30, END, 7)]
    assert warn_at(walk) is None


def test_what_was_announced_is_a_notice_with_its_cause(walk: Walk) -> None:
    walk.adjust(30)
    at(walk, MAY_1 + A_DAY)
    [notice] = walk.do(lambda session: session.scalars(select(Notice)).all())
    assert (notice.type, notice.member_id) == ("points.expiring_soon", walk.member)
    assert notice.cause == "2026-05-31T22:00:00.000000Z:30"
    assert notice.occurred_at == walk.now
    assert notice.data == '{"days":30,"expires_at":"2026-05-31T22:00:00.000000Z","points":30}'


def test_who_was_not_looked_at_for_long_hears_only_the_last_word(walk: Walk) -> None:
    walk.adjust(30)
    assert at(walk, MAY_24 + A_DAY) == [(30, END, 7)]
    assert at(walk, MAY_24 + 2 * A_DAY) == [(30, END, 7)]


def test_points_that_are_spent_or_gone_are_not_announced(walk: Walk) -> None:
    walk.adjust(30)
    walk.adjust(-30)
    assert at(walk, MAY_1) == []
    walk.now = START + 60 * A_DAY
    walk.adjust(10)
    assert at(walk, END + 90 * A_DAY) == []
    assert warn_at(walk) is None


def test_what_is_left_is_announced_and_what_comes_later_is_not_announced_again(walk: Walk) -> None:
    walk.adjust(30)
    walk.adjust(-10)
    assert at(walk, MAY_1) == [(20, END, 30)]
    walk.adjust(-5)
    assert at(walk, MAY_24) == [(20, END, 30), (15, END, 7)]


def test_points_that_come_back_are_announced(walk: Walk) -> None:
    walk.adjust(7)
    redemption = walk.redeem()
    assert at(walk, MAY_1) == []
    assert warn_at(walk) is None
    walk.now = MAY_1 + 3 * A_DAY
    assert redemption
    walk.fail(redemption)
    assert at(walk, MAY_1 + 3 * A_DAY) == [(7, END, 30)]


def test_points_that_come_back_while_a_tier_holds_them_are_announced_after_it(walk: Walk) -> None:
    over = START + 62 * A_DAY
    walk.adjust(7)
    redemption = walk.redeem()
    walk.stand(Standing("gold", START, (Step(over, None),), expiry_paused=True))
    assert at(walk, MAY_1) == []
    assert warn_at(walk) is None
    assert redemption
    walk.fail(redemption)
    assert warn_at(walk) == over
    assert at(walk, over) == [(7, END, 30)]


def test_points_of_an_order_told_late_are_announced(walk: Walk) -> None:
    walk.now = MAY_1 + 2 * A_DAY
    walk.order(30, placed_at=START + 25 * A_DAY)
    assert at(walk, walk.now) == [(30, END, 30)]


def test_points_that_wait_are_announced_on_the_day_they_are_there() -> None:
    waiting = a_lot(0, day(20), matures_at=day(5), pending=9)
    assert expiring.warnings([waiting], Standing(), day(1), UTC_ZONE) == ([], day(5))
    there = a_lot(9, day(20), matures_at=day(5))
    ending = Ending(9, day(20), 30)
    assert expiring.warnings([there], Standing(), day(5), UTC_ZONE) == ([ending], day(12))


def test_points_that_a_tier_holds_are_announced_once_it_is_over(walk: Walk) -> None:
    over = START + 60 * A_DAY
    floor = calendar.first_moment(date(2026, 8, 1), BERLIN)
    walk.stand(Standing("gold", START, (Step(over, None, False, floor),), expiry_paused=True))
    walk.adjust(30)
    assert at(walk, over - AN_INSTANT) == []
    assert warn_at(walk) == over
    assert at(walk, over) == []
    assert warn_at(walk) == calendar.first_moment(date(2026, 7, 1), BERLIN)
    assert at(walk, calendar.first_moment(date(2026, 7, 1), BERLIN)) == [(30, floor, 30)]


def test_points_whose_end_was_moved_are_announced_anew(walk: Walk) -> None:
    walk.adjust(30)
    at(walk, MAY_24)
    assert warn_at(walk) is None
    floor = calendar.first_moment(date(2026, 8, 1), BERLIN)
    walk.stand(Standing(None, None, expires_not_before=floor))
    assert at(walk, MAY_24 + 60 * A_DAY) == [(30, END, 7), (30, floor, 30)]


def test_points_that_somebody_stops_holding_back_are_announced_at_once(walk: Walk) -> None:
    walk.adjust(30)
    walk.stand(Standing("gold", START, expiry_paused=True))
    assert at(walk, MAY_1) == []
    assert warn_at(walk) is None
    walk.stand(Standing(None, walk.now))
    assert at(walk, MAY_1 + A_DAY) == [(30, END, 30)]


@pytest.mark.parametrize(
    ("zone", "last_good", "thirty", "seven"),
    [
        # Thirty days before, then seven days before, the clocks change.
        (BERLIN, date(2026, 4, 28), "2026-03-28T23:00", "2026-04-20T22:00"),
        (BERLIN, date(2026, 4, 5), "2026-03-05T23:00", "2026-03-28T23:00"),
        (BERLIN, date(2026, 11, 24), "2026-10-24T22:00", "2026-11-16T23:00"),
        (BERLIN, date(2026, 11, 1), "2026-10-01T22:00", "2026-10-24T22:00"),
        (SAO_PAULO, date(2018, 12, 4), "2018-11-04T03:00", "2018-11-27T02:00"),
        (SAO_PAULO, date(2018, 2, 25), "2018-01-26T02:00", "2018-02-18T03:00"),
    ],
)
def test_the_days_are_the_programs_own_when_clocks_change(
    zone: ZoneInfo, last_good: date, thirty: str, seven: str
) -> None:
    end = calendar.first_moment(last_good + A_DAY, zone)
    lot = a_lot(9, end, matures_at=end - 90 * A_DAY)
    first, second = (datetime.fromisoformat(f"{text}:00Z") for text in (thirty, seven))
    look_at = end - 60 * A_DAY
    assert expiring.warnings([lot], Standing(), look_at, zone) == ([], first)
    assert expiring.warnings([lot], Standing(), first, zone) == ([Ending(9, end, 30)], second)
    assert expiring.warnings([lot], Standing(), second, zone) == ([Ending(9, end, 7)], None)


def test_an_end_within_a_day_counts_from_that_day() -> None:
    lot = a_lot(9, day(40) + timedelta(hours=15))
    assert expiring.warnings([lot], Standing(), day(1), UTC_ZONE) == ([], day(10))


@given(accounts())
def test_who_looks_when_told_to_says_all_that_one_says_who_always_looks(account: Account) -> None:
    always, last = day(-1), day(3 * DAYS)
    seen: set[str] = set()
    lots, debt, standing = account
    while always < last:
        lots, debt, standing, _ = state.advance(lots, debt, standing, always)
        due, _ = expiring.warnings(lots, standing, always, UTC_ZONE)
        seen |= {one.cause for one in due}
        always += A_DAY
    now: datetime | None = day(-1)
    heard: set[str] = set()
    lots, debt, standing = account
    while now and now < last:
        lots, debt, standing, _ = state.advance(lots, debt, standing, now)
        due, then = expiring.warnings(lots, standing, now, UTC_ZONE)
        heard |= {one.cause for one in due}
        assert then is None or then > now
        now = then
    assert heard == seen


def test_whatever_happened_somebody_looks_before_an_announcement_is_due(app: Flask) -> None:
    shop = Shop.open(app, SHORT_LIVED)

    @few
    @given(histories)
    def over(history: list[tuple[timedelta, str, int]]) -> None:
        walk = Walk(shop, START)
        for wait, act, points in history:
            walk.now += wait
            ACTS[act](walk, points)
            assert_looked_at_in_time(walk)
            if points % 3 == 0:
                look(walk)
                assert_looked_at_in_time(walk)

    over()


def assert_looked_at_in_time(walk: Walk) -> None:
    """Whatever is to be announced and was not is due at a look that is noted."""

    def work(session: Session) -> tuple[list[Ending], datetime | None, datetime | None, set[str]]:
        book = ledger.open_book(session, walk.shop.program_id, walk.member)
        lots = lot_states(session.execute(lots_of(walk.shop.program_id, walk.member)))
        heard = set(session.scalars(select(Notice.cause).where(Notice.member_id == walk.member)))
        return *expiring.warnings(lots, book.standing, book.now, BERLIN), book.warn_at, heard

    due, then, noted, heard = walk.do(work)
    moments = [then] if then else []
    moments += [walk.now for one in due if one.cause not in heard]
    if moments:
        assert noted is not None
        assert noted <= min(moments)


def test_two_workers_at_once_announce_once(app: Flask) -> None:
    shop = Shop.open(app, LONGER)
    walks = [Walk(shop, START) for _ in range(6)]
    for walk in walks:
        walk.adjust(30)
    looked: list[int] = []

    def work() -> None:
        with app.app_context(), clock.stopped_at(MAY_1):
            looked.append(worker.warn())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(timeout=60)
    assert sum(looked) == len(walks)
    for walk in walks:
        walk.now = MAY_1 + A_DAY
        assert told(walk) == [(30, END, 30)]


def test_a_worker_announces_between_its_rounds(app: Flask) -> None:
    shop = Shop.open(app)
    member = shop.a_member(points=30)
    with app.app_context():
        ends = datetime.fromisoformat(shop.balance(member)["expiring_next"]["expires_at"])
    shop.advance(days=(ends - shop.now()).days - 5)
    thread, stop = worker.start_thread(app)
    mine = select(Notice.type).where(Notice.member_id == member)
    found: list[str] = []
    for _ in range(200):
        with app.app_context():
            found = db.read(lambda session: list(session.scalars(mine)))
        if found:
            break
        stop.wait(0.05)
    stop.set()
    thread.join(timeout=30)
    assert found == ["points.expiring_soon"]


def test_a_member_whose_books_are_broken_holds_up_nobody(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop.open(app, LONGER)
    broken, sound = Walk(shop, START), Walk(shop, START + timedelta(hours=1))
    for walk in (broken, sound):
        walk.adjust(30)
    open_book = ledger.open_book

    def breaks(session: Session, program_id: str, member_id: str) -> ledger.Book:
        assert member_id != broken.member, "a lot vanished"
        return open_book(session, program_id, member_id)

    with monkeypatch.context() as patch, app.app_context(), clock.stopped_at(MAY_1):
        patch.setattr(ledger, "open_book", breaks)
        assert worker.warn() == 2
    assert told(sound) == [(30, END, 30)]
    assert at(broken, MAY_1 + timedelta(hours=2)) == [(30, END, 30)]
