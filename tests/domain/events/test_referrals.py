"""Both sides of an event: what the other member gets, and what waits for a first order."""

from flask import Flask

from tests.api.contract import nothing_written, problem
from tests.domain.program.documents import changed
from tests.shop import Shop

OLD = "    pending_days: 14\n"
REASON = ("reasons: [correction]", "reasons: [correction, appreciation]")


def opened(app: Flask, more: str) -> tuple[Shop, str, str]:
    """A shop with a rule on referrals; a friend, and the one who brings the friend."""
    side = "other_side: {member: referrer, points: 500}"
    rule = f"  - {{id: friend, on: referral, points: 100, {side}, {more}}}\n"
    shop = Shop.open(app, changed((OLD, OLD + rule), REASON))
    return shop, shop.a_member(), shop.a_member()


def test_a_rule_whose_cap_is_used_up_gives_the_other_side_nothing_either(app: Flask) -> None:
    shop, friend, referrer = opened(app, "caps: {ever: 150}")
    for _ in range(3):
        shop.event(friend, "referral", data={"referrer": referrer})
    while shop.work():
        pass
    assert (shop.available(friend), shop.available(referrer)) == (150, 1000)


def test_an_event_that_waits_gave_nothing_that_could_be_reversed(app: Flask) -> None:
    shop, friend, referrer = opened(app, "first_order: {minimum: 25.00}")
    waiting = shop.event(friend, "referral", data={"referrer": referrer})
    path = f"/v1/transactions/{waiting['transaction']}/reverse"
    with nothing_written(app, except_keys=True):
        answer = shop.call("POST", path, {"reason": "correction"}, who="admin")
        assert "waits for a first order" in problem(answer, 409, "not_reversible", "id")["detail"]
