"""Birthdays, anniversaries and long absences, with our clock moved: each once a period."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from loyalty_service import clock, db, worker
from loyalty_service.domain.discounts import looking
from loyalty_service.domain.ledger import Account
from tests.domain.discounts.offers import BY_FACTS, BY_THE_CLOCK, with_only
from tests.shop import Shop

DAY = timedelta(days=1)


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A shop in Berlin that thanks by the clock, on the first day of a June."""
    return in_june(Shop.open(app, with_only(BY_THE_CLOCK)))


def test_a_birthday_brings_a_present_once_a_year(shop: Shop) -> None:
    born = shop.now().date() + 10 * DAY
    member = shop.a_member(birthday=f"{born.replace(year=1990)}")
    assert looks(shop, days=9) == []
    assert looks(shop, days=1) == ["birthday"]
    assert looks(shop, days=1) == []
    assert given(shop, member)[0]["summary"] == "A present, for your birthday."
    assert "birthday" in looks(shop, days=366)
    assert [one["offer"] for one in given(shop, member)].count("birthday") == 2


def test_a_worker_that_comes_late_still_brings_the_present(shop: Shop) -> None:
    born = shop.now().date() + 10 * DAY
    shop.a_member(birthday=f"{born.replace(year=1990)}")
    assert looks(shop, days=0) == []
    assert looks(shop, days=16) == ["birthday"]


def test_a_birthday_of_more_than_a_week_ago_is_over(shop: Shop) -> None:
    born = shop.now().date() + 10 * DAY
    shop.a_member(birthday=f"{born.replace(year=1990)}")
    assert looks(shop, days=17) == []


def test_a_birthday_before_the_membership_is_not_made_up_for(shop: Shop) -> None:
    born = shop.now().date() - 2 * DAY
    shop.a_member(birthday=f"{born.replace(year=1990)}")
    assert looks(shop, days=0) == []


def test_a_birthday_that_is_told_later_counts_from_then_on(shop: Shop) -> None:
    member = shop.a_member()
    assert looks(shop, days=20) == []
    born = (shop.now().date() + 5 * DAY).replace(year=1990)
    shop.call("PATCH", f"/v1/members/{member}", {"birthday": f"{born}"})
    assert looks(shop, days=0) == []
    assert looks(shop, days=5) == ["birthday"]


def test_a_birthday_that_moves_brings_one_present_a_year(shop: Shop) -> None:
    member = shop.a_member()
    presents = []
    for _ in range(3):
        born = (shop.now().date() + DAY).replace(year=1990)
        shop.call("PATCH", f"/v1/members/{member}", {"birthday": f"{born}"})
        presents += looks(shop, days=0) + looks(shop, days=1)
    assert presents == ["birthday"]


def test_a_year_with_us_is_thanked_for_each_year(shop: Shop) -> None:
    member = shop.a_member()
    enrolled = shop.now().date()
    looks(shop, days=0)
    assert looks(shop, days=364) == []
    assert looks(shop, days=days_to(shop, enrolled, 1)) == ["year"]
    assert looks(shop, days=1) == []
    assert looks(shop, days=days_to(shop, enrolled, 2)) == ["year"]
    assert [one["summary"] for one in given(shop, member)] == [
        "A year, for another year with us."
    ] * 2


def test_who_stays_away_is_called_back_once_each_time(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 1000)
    looks(shop, days=0)
    assert looks(shop, days=179) == []
    assert looks(shop, days=1) == ["back"]
    assert looks(shop, days=20) == []
    (thanks,) = given(shop, member)
    assert (thanks["settlement"], thanks["status"]) == ("app_applied", "issued")
    assert thanks["summary"] == "We missed you, because we have not seen you for a while."
    shop.order(member, 1000)
    assert "back" not in looks(shop, days=170)
    assert looks(shop, days=10) == ["back"]


def test_who_orders_in_time_is_not_called_back(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 1000)
    looks(shop, days=100)
    shop.order(member, 1000)
    assert looks(shop, days=80) == []
    assert looks(shop, days=100) == ["back"]


def test_an_order_that_is_told_late_begins_its_absence_when_it_was_placed(shop: Shop) -> None:
    member = shop.a_member()
    looks(shop, days=40)
    shop.order(member, 1000, placed_at=shop.now() - 29 * DAY)
    assert looks(shop, days=150) == []
    assert looks(shop, days=1) == ["back"]


def test_who_never_ordered_is_not_missed(shop: Shop) -> None:
    shop.a_member()
    assert looks(shop, days=300) == []


def test_a_budget_that_is_used_up_is_noted(shop: Shop) -> None:
    members = [shop.a_member() for _ in range(3)]
    for member in members:
        shop.order(member, 1000)
    looks(shop, days=0)
    assert looks(shop, days=180) == ["back", "back", "back"]
    notes = [given(shop, member, who="agent")[0] for member in members]
    assert sorted(one["status"] for one in notes) == ["issued", "issued", "withheld"]
    assert looks(shop, days=1) == []


def test_what_was_withheld_is_not_there_for_a_checkout(shop: Shop) -> None:
    for _ in range(3):
        shop.order(shop.a_member(), 1000)
    looks(shop, days=0)
    looks(shop, days=180)
    (note,) = shop.get("/v1/discounts?status=withheld", who="agent")["data"]
    path = f"/v1/discounts/{note['id']}"
    for answer in (shop.call("GET", path), shop.call("POST", f"{path}/use", {})):
        assert (answer.status_code, answer.json["code"]) == (404, "discount_not_found")
    refused = shop.call("POST", f"{path}/cancel", {}, who="agent")
    assert (refused.status_code, refused.json["code"]) == (409, "discount_final")


@pytest.mark.parametrize("status", ["closed", "suspended"])
def test_who_is_closed_or_suspended_gets_none(shop: Shop, status: str) -> None:
    born = shop.now().date() + 10 * DAY
    member = shop.a_member(birthday=f"{born.replace(year=1990)}")
    looks(shop, days=1)
    shop.call("PATCH", f"/v1/members/{member}", {"status": status})
    assert looks(shop, days=10) == []
    assert given(shop, member, who="agent") == []


def test_a_day_begins_at_midnight_of_the_program(shop: Shop) -> None:
    at = datetime.fromisoformat("2027-06-14T21:59:59Z")
    with clock.stopped_at(at - 90 * DAY):
        member = shop.a_member(birthday="1990-06-15")
    with clock.stopped_at(at):
        assert looks(shop, days=0) == []
    with clock.stopped_at(at + timedelta(seconds=1)):
        assert looks(shop, days=0) == ["birthday"]
    assert given(shop, member)[0]["created_at"] == "2027-06-14T22:00:00Z"


def test_an_offer_that_is_new_finds_the_members_that_are_there(app: Flask) -> None:
    shop = in_june(Shop.open(app, with_only(BY_FACTS)))
    born = shop.now().date() + 10 * DAY
    members = [shop.a_member(birthday=f"{born.replace(year=1990)}") for _ in range(3)]
    assert looks(shop, days=1) == []
    assert waiting(shop) == 0
    shop.apply(with_only(BY_THE_CLOCK))
    shop.work()
    assert waiting(shop) == 3
    assert looks(shop, days=9) == ["birthday"] * 3
    assert all(given(shop, member) for member in members)


def test_everybody_is_found_slice_by_slice(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "SLICE", 2)
    shop = Shop.open(app, with_only(BY_FACTS))
    for _ in range(5):
        shop.a_member()
    assert looks(shop, days=0) == []
    assert waiting(shop) == 0
    shop.apply(with_only(BY_THE_CLOCK))
    assert [shop.work() for _ in range(2)] == [3, 0]
    assert waiting(shop) == 5


def test_a_version_with_the_same_offers_looks_at_nobody(shop: Shop) -> None:
    shop.a_member()
    looks(shop, days=0)
    shop.apply(with_only(BY_THE_CLOCK).replace("name: Beauty rewards", "name: Others"))
    assert shop.work() == 0


def test_one_look_says_when_to_look_next(shop: Shop) -> None:
    for _ in range(4):
        shop.a_member()
    assert looked(shop) == 4
    assert looked(shop) == 0
    shop.advance(days=100)
    assert looked(shop) == 0
    shop.advance(days=51)
    assert looked(shop) == 4


def test_a_member_who_can_not_be_looked_at_holds_up_nobody(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    born = shop.now().date().replace(year=1990)
    broken, other = (shop.a_member(birthday=f"{born}") for _ in range(2))
    look = looking._look

    def fail(session: Any, program_id: str, member_id: str) -> None:
        assert member_id != broken, "this one's books are broken"
        look(session, program_id, member_id)

    monkeypatch.setattr(looking, "_look", fail)
    looked(shop)
    assert (len(given(shop, broken)), len(given(shop, other))) == (0, 1)
    monkeypatch.undo()
    assert looked(shop) == 0
    shop.advance(days=1)
    looked(shop)
    assert len(given(shop, broken)) == 1


def test_only_the_member_whose_look_failed_is_put_off(shop: Shop) -> None:
    born = shop.now().date().replace(year=1990)
    broken, other = (shop.a_member(birthday=f"{born}") for _ in range(2))
    note(shop, broken, shop.now() - 2 * DAY)
    note(shop, other, shop.now() - DAY)
    look = a_look_that_fails(shop)
    # Somebody's moment is now the first.
    note(shop, other, shop.now() - 3 * DAY)
    with shop.app.app_context():
        db.transaction(look.put_off)
    looks(shop, days=0)
    assert (len(given(shop, broken)), len(given(shop, other))) == (0, 1)


def test_who_was_looked_at_meanwhile_is_not_put_off(shop: Shop) -> None:
    member = shop.a_member()
    look = a_look_that_fails(shop)
    note(shop, member, shop.now() + DAY)
    with shop.app.app_context():
        db.transaction(look.put_off)
    shop.advance(seconds=7200)
    assert waiting(shop) == 0


def test_an_absence_is_thanked_for_once_though_the_program_moves(shop: Shop) -> None:
    member = shop.a_member()
    late = datetime.fromisoformat(f"{shop.now().year}-06-10T22:30:00+00:00")
    shop.advance(seconds=int((late - shop.now()).total_seconds()) + 1)
    shop.order(member, 1000)
    looks(shop, days=0)
    assert looks(shop, days=181) == ["back"]
    shop.apply(with_only(BY_THE_CLOCK).replace("Europe/Berlin", "America/New_York"))
    shop.work()
    assert looks(shop, days=0) == []


def in_june(shop: Shop) -> Shop:
    """The same shop on the next 1 June: no year ends while a test looks, and every day is there in
    each year."""
    now = shop.now()
    shop.advance(days=(date(now.year + 1, 6, 1) - now.date()).days)
    return shop


def looks(shop: Shop, *, days: int) -> list[str]:
    """Move the clock, let the worker look; the offers that it has considered since, in order."""
    if days:
        shop.advance(days=days)
    before = {one["id"] for one in everybody(shop)}
    while looked(shop):
        pass
    return [one["offer"] for one in everybody(shop)[::-1] if one["id"] not in before]


def looked(shop: Shop) -> int:
    with shop.app.app_context():
        return worker.thank()


def waiting(shop: Shop) -> int:
    """How many members are to be looked at now."""
    due = select(func.count()).where(Account.thanks_at <= shop.now())
    with shop.app.app_context():
        return int(db.read(lambda session: session.scalar(due)) or 0)


def note(shop: Shop, member: str, at: datetime) -> None:
    """Let a member be looked at from a moment on."""
    mine = update(Account).where(Account.member_id == member).values(thanks_at=at)
    with shop.app.app_context():
        db.transaction(lambda session: session.execute(mine))


def a_look_that_fails(shop: Shop) -> looking.Looks:
    """A look at the member who comes first, which ends in an error."""
    look = looking.Looks()

    def fail(session: Session) -> None:
        assert not look.thank_due(session), "this one's books are broken"

    with shop.app.app_context(), pytest.raises(AssertionError):
        db.transaction(fail)
    return look


def days_to(shop: Shop, enrolled: date, years: int) -> int:
    """How many days from now on an anniversary is."""
    return (enrolled.replace(year=enrolled.year + years) - shop.now().date()).days


def everybody(shop: Shop) -> Any:
    return shop.get("/v1/discounts?limit=100", who="agent")["data"]


def given(shop: Shop, member: str, who: str = "checkout") -> Any:
    return shop.get(f"/v1/discounts?member={member}", who=who)["data"]
