"""Tiers that time ends and points that a tier holds back: now, then, later; on both databases."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import wording
from loyalty_service.domain import calendar, explaining, ledger
from loyalty_service.domain.ledger import Lot, Standing, Step
from loyalty_service.domain.lists import Page
from tests.conftest import differences
from tests.domain.ledger.conftest import Tamper
from tests.domain.ledger.walks import SHORT_LIVED, Walk
from tests.shop import Shop, moment

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
A_DAY = timedelta(days=1)
AN_INSTANT = timedelta(microseconds=1)
BERLIN = ZoneInfo("Europe/Berlin")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
# Points given at the start end here by their own date.
OWN_END = datetime(2026, 3, 11, 23, tzinfo=UTC)


@pytest.fixture
def walk(app: Flask) -> Walk:
    return Walk(Shop.open(app, SHORT_LIVED), START)


def history(walk: Walk) -> list[tuple[str, datetime]]:
    """What was posted and when it happened, in order."""
    page = walk.do(lambda s: ledger.page(s, walk.shop.program_id, walk.member, Page(100)))
    return [(one.kind, one.occurred_at) for one in reversed(page)]


def ending(walk: Walk, at: datetime | None = None) -> tuple[int, datetime] | None:
    """How many points end next, and when."""
    soonest = walk.balance(at).expiring_next
    return (soonest.points, soonest.expires_at) if soonest else None


def paused(walk: Walk, *steps: Step) -> Standing:
    return Standing("platinum", walk.now, steps, expiry_paused=True)


def test_a_step_is_taken_at_its_moment_and_written_with_the_next_write(walk: Walk) -> None:
    at = START + 5 * A_DAY
    walk.stand(Standing("gold", START, (Step(at, "silver"), Step(at + A_DAY, None))))
    assert walk.balance(at - AN_INSTANT).tier == "gold"
    assert walk.balance(at).tier == "silver"
    walk.now = at + 3 * A_DAY
    assert walk.balance().tier is None
    walk.adjust(10)
    assert history(walk) == [
        ("tier_change", START),
        ("tier_change", at),
        ("tier_change", at + A_DAY),
        ("credit", walk.now),
    ]
    assert walk.balance(START + A_DAY).tier == "gold"
    assert walk.balance(at + timedelta(hours=1)).tier == "silver"


def test_what_time_did_to_a_tier_says_what_it_was_and_what_it_is(walk: Walk) -> None:
    walk.stand(
        Standing("gold", START, (Step(START + A_DAY, "silver"), Step(START + 2 * A_DAY, None)))
    )
    walk.now += 3 * A_DAY
    walk.touch()
    page = walk.do(lambda s: ledger.page(s, walk.shop.program_id, walk.member, Page(1)))
    last, before = (explaining.structure(one) for one in page)
    assert (before["cause"], before["from"], before["to"]) == ("time", "gold", "silver")
    assert (last["cause"], last["from"], last["to"]) == ("time", "silver", None)
    assert last["standing"] == {"since": "2026-03-03T09:30:00.000000Z"}
    moves = {one.id: [] for one in page}
    told = walk.do(lambda s: explaining.sentences(s, wording.voice("en"), page, moves))
    assert list(told.values()) == [
        "Your time as silver ended.",
        "Your time as gold ended; you are silver now.",
    ]


def test_points_do_not_end_while_a_tier_holds_them(walk: Walk) -> None:
    walk.adjust(10)
    walk.stand(paused(walk))
    assert ending(walk) is None
    assert walk.balance(OWN_END + 300 * A_DAY).available == 10
    walk.now = OWN_END + 300 * A_DAY
    walk.touch()
    assert walk.balance().available == 10
    assert walk.redeem()


def test_points_that_were_held_back_end_with_the_tier_where_it_leaves_them_no_time(
    walk: Walk,
) -> None:
    walk.adjust(10)
    over = OWN_END + 20 * A_DAY
    walk.stand(paused(walk, Step(over, None)))
    assert walk.balance(over - AN_INSTANT).available == 10
    assert walk.balance(over).available == 0
    walk.now = over + A_DAY
    walk.touch()
    assert history(walk)[2:] == [("tier_change", over), ("expiry", over)]


def test_points_that_somebody_stops_holding_back_end_then_and_not_before(walk: Walk) -> None:
    walk.adjust(10)
    walk.stand(paused(walk))
    walk.now = OWN_END + 20 * A_DAY
    walk.stand(Standing(None, walk.now))
    assert history(walk)[2:] == [("tier_change", walk.now), ("expiry", walk.now)]


def test_a_floor_that_is_taken_away_lets_points_end_at_once(walk: Walk) -> None:
    walk.adjust(10)
    walk.stand(Standing(None, START, expires_not_before=OWN_END + 30 * A_DAY))
    walk.now = OWN_END + 20 * A_DAY
    walk.touch()
    walk.stand(Standing(None, walk.now))
    assert walk.balance().available == 0
    assert history(walk)[-1] == ("expiry", walk.now)


def test_points_below_the_floor_end_together_with_those_that_end_there(walk: Walk) -> None:
    walk.adjust(1)
    walk.now += A_DAY
    walk.adjust(2)
    floor = OWN_END + A_DAY
    walk.stand(Standing(None, walk.now, expires_not_before=floor))
    assert ending(walk) == (3, floor)
    walk.now += A_DAY
    walk.adjust(4)
    assert ending(walk) == (3, floor)
    assert ending(walk, floor) == (4, floor + A_DAY)
    walk.now = floor
    walk.touch()
    assert history(walk)[-1] == ("expiry", floor)


def test_each_activity_moves_the_end_of_all_points(walk: Walk) -> None:
    walk.adjust(10)
    for _ in range(4):
        walk.now += 8 * A_DAY
        ends = walk.now + 10 * A_DAY
        walk.stand(Standing(None, None, expires_not_before=ends))
        assert ending(walk) == (10, ends)
    assert walk.balance(ends - AN_INSTANT).available == 10
    assert walk.balance(ends).available == 0


def test_points_that_come_back_to_a_lot_that_is_held_back_stay_there(app: Flask) -> None:
    # Only a lot that is past its end would be opened anew.
    walk = Walk(Shop.open(app, SHORT_LIVED.replace("original_expiry", "reissue")), START)
    walk.adjust(7)
    redemption = walk.redeem()
    walk.stand(paused(walk))
    walk.now = OWN_END + 5 * A_DAY
    assert redemption
    walk.fail(redemption)
    assert walk.balance().available == 7
    assert history(walk)[-1] == ("restoration", walk.now)
    mine = select(Lot.number).where(Lot.member_id == walk.member)
    assert walk.do(lambda session: session.scalars(mine).all()) == [1]


def test_points_of_an_order_told_late_live_while_a_tier_holds_them(walk: Walk) -> None:
    walk.stand(paused(walk, Step(START + 90 * A_DAY, None)))
    walk.now += 30 * A_DAY
    walk.order(30, placed_at=START)
    assert walk.balance().available == 30
    assert walk.balance(START + 90 * A_DAY).available == 0


def test_a_balance_in_one_look_is_the_balance(app: Flask) -> None:
    shop = Shop.open(app)
    walk = Walk(shop, shop.now())
    member = walk.member
    shop.give(member, 40)
    own = shop.balance(member)["expiring_next"]
    floor = datetime.fromisoformat(own["expires_at"]) + 40 * A_DAY
    for standing, told in (
        (Standing(None, walk.now), own),
        (paused(walk), None),
        (Standing(None, walk.now, expires_not_before=walk.now + A_DAY), own),
        (
            Standing(None, walk.now, expires_not_before=floor),
            {"points": 40, "expires_at": moment(floor)},
        ),
    ):
        walk.now = shop.now()
        walk.stand(standing)
        seen = shop.balance(member)["expiring_next"]
        assert seen == told
        assert shop.give(member, 1)["balance"]["expiring_next"] == (seen and {**seen, "points": 41})
        shop.give(member, -1)


def test_the_beauty_programs_points_end_by_quarter_by_tier_and_by_downgrade(app: Flask) -> None:
    def local(*day: int) -> datetime:
        return datetime(*day, tzinfo=BERLIN).astimezone(UTC)

    shop = Shop.open(app)
    walk = Walk(shop, local(2022, 1, 20, 12))
    walk.adjust(100)
    assert ending(walk) == (100, local(2023, 4, 1))
    assert walk.balance(local(2023, 4, 1) - AN_INSTANT).available == 100
    assert walk.balance(local(2023, 4, 1)).available == 0
    walk.now = local(2022, 6, 1, 12)
    downgrade = Step(local(2027, 1, 1), "member", expires_not_before=local(2027, 4, 1))
    walk.stand(paused(walk, downgrade))
    walk.now = local(2026, 8, 1, 12)
    walk.adjust(30)
    assert ending(walk) is None
    assert walk.balance(local(2027, 1, 1) - AN_INSTANT).tier == "platinum"
    assert ending(walk, local(2027, 1, 1)) == (100, local(2027, 4, 1))
    assert ending(walk, local(2027, 4, 1)) == (30, local(2027, 10, 1))
    assert walk.balance(local(2027, 10, 1)).available == 0
    walk.now = local(2027, 1, 1)
    assert (walk.balance().tier, walk.balance().available) == ("member", 130)
    walk.adjust(1)
    assert history(walk)[-2] == ("tier_change", local(2027, 1, 1))


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        (BERLIN, date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (BERLIN, date(2026, 3, 30), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (BERLIN, date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC)),
        (BERLIN, date(2026, 10, 26), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        # Midnight was skipped, and half a year before the hour before it came twice.
        (SAO_PAULO, date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        (SAO_PAULO, date(2018, 2, 18), datetime(2018, 2, 18, 3, tzinfo=UTC)),
    ],
    ids=str,
)
def test_on_days_when_clocks_change_all_happens_at_the_first_moment_of_the_day(
    app: Flask, zone: ZoneInfo, day: date, begins: datetime
) -> None:
    shop = Shop.open(app, SHORT_LIVED.replace("Europe/Berlin", str(zone)))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    assert calendar.first_moment(day, zone) == begins
    walk = Walk(shop, (noon - 11 * A_DAY).astimezone(UTC))
    walk.adjust(5)
    walk.stand(Standing("gold", walk.now, (Step(begins, None),)))
    walk.now = (noon - 4 * A_DAY).astimezone(UTC)
    walk.order(7)
    before, then = walk.balance(begins - AN_INSTANT), walk.balance(begins)
    assert (before.available, before.pending, before.tier) == (5, 7, "gold")
    assert (then.available, then.pending, then.tier) == (7, 0, None)
    walk.now = begins
    walk.touch()
    assert history(walk)[-3:] == [
        ("tier_change", begins),
        ("maturity", begins),
        ("expiry", begins),
    ]


@pytest.mark.tampered
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("tier = 'diamond'", "tier is diamond, the transactions give gold"),
        ("expiry_paused = true", "expiry_paused is True, the transactions give False"),
        ("tier_steps = NULL", "tier_steps is None, the transactions give [{"),
        ("tier_steps = 'nonsense'", "tier_steps is nonsense, the transactions give [{"),
        ("tier_since = NULL", "tier_since is None, the transactions give 2026-03-01"),
        ("expires_not_before = recorded_at", "expires_not_before is "),
        ("next_due_at = NULL", "next_due_at is None, the tier is due at 2026-03-06"),
    ],
)
def test_a_tier_that_nobody_gave_is_named(
    walk: Walk, tamper: Tamper, change: str, found: str
) -> None:
    walk.stand(Standing("gold", START, (Step(START + 5 * A_DAY, "silver"),)))
    assert differences(walk.shop.app) == []
    tamper(f"UPDATE accounts SET {change} WHERE member_id = '{walk.member}'")
    [one] = differences(walk.shop.app)
    assert (one.subject, one.detail[: len(found)]) == (f"account {walk.member}", found)


@pytest.mark.tampered
def test_a_step_that_nobody_foresaw_is_named(walk: Walk) -> None:
    walk.stand(Standing("gold", START, (Step(START + 5 * A_DAY, "silver"),)))

    def work(session: Session) -> str:
        book = ledger.open_book(session, walk.shop.program_id, walk.member)
        context = {"cause": "time", "from": "gold", "to": None}
        return ledger.post(
            book, ledger.Entry("tier_change", [], book.now, context, standing=Standing())
        )

    forged = walk.do(work)
    assert [(one.subject, one.detail) for one in differences(walk.shop.app)] == [
        (f"transaction {forged}", "is not what time was going to do to the tier")
    ]
