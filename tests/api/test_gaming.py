"""Ways to more points than the rules give, or to books that do not add up, that were found open."""

import pytest

from loyalty_service.domain import program
from tests.shop import Shop, moment

CORNER = """\
id: corner-shop
name: Corner shop
timezone: Europe/Berlin
currency: eur
earn_when: {earn_when}
earning:
  - id: purchase
    on: order
    points: 1
    per: 1.00
    counts: [merchandise]
    rounding: floor
    pending_days: 0
{rules}
expiry: never
goodwill: {{reasons: [correction]}}
{more}
"""
POINTS_TIERS = """\
tiers:
  metric: qualifying_points
  window: calendar_year
  kept: {windows: 1}
  levels:
    - {id: basic, name: Basic, from: 0}
    - {id: gold, name: Gold, from: 900}
"""
SPEND_TIERS = """\
tiers:
  metric: spend
  counts: [merchandise, shipping, discounts]
  window: calendar_year
  kept: {windows: 1}
  levels:
    - {id: basic, name: Basic, from: 0}
    - {id: gold, name: Gold, from: 500.00}
"""
PARTY = "events:\n  party: {guest: member, host: member}\n"


def corner(rules: str = "", more: str = "", earn_when: str = "placed") -> str:
    return CORNER.format(rules=rules, more=more, earn_when=earn_when)


def tier(shop: Shop, member: str) -> str:
    return str(shop.get(f"/v1/members/{member}")["tier"]["id"])


@pytest.mark.parametrize("limit", ["times: {ever: 1}", "cooldown: {days: 30}"])
def test_what_only_qualifies_is_limited_as_points_are(app, limit: str) -> None:
    rule = f"  - {{id: status, on: sign_up, points: 0, tier_points: 500, {limit}}}"
    shop = Shop.open(app, corner(rule, POINTS_TIERS))
    member = shop.a_member()
    for _ in range(3):
        shop.event(member)
    assert tier(shop, member) == "basic"


@pytest.mark.parametrize(
    "gives", ["points: 250, caps: {ever: 250}", "points: 0, tier_points: 1, times: {ever: 1}"]
)
def test_the_other_side_gets_nothing_where_limits_left_nothing(app, gives: str) -> None:
    other = "other_side: {member: referrer, points: 500}"
    shop = Shop.open(app, corner(f"  - {{id: friend, on: referral, {gives}, {other}}}"))
    friend, referrer = shop.a_member(), shop.a_member()
    for _ in range(3):
        shop.event(friend, "referral", data={"referrer": referrer})
        shop.work()
    assert shop.available(referrer) == 500


def test_the_other_side_gets_no_more_than_the_balance_cap_leaves(app) -> None:
    rule = "  - {id: friend, on: referral, points: 10, other_side: {member: referrer, points: 500}}"
    shop = Shop.open(app, corner(rule, "balance_cap: 800\n"))
    referrer = shop.a_member()
    for expected in (500, 800, 800):
        shop.event(shop.a_member(), "referral", data={"referrer": referrer})
        shop.work()
        assert shop.available(referrer) == expected


def test_the_other_side_is_the_member_that_the_rule_names(app) -> None:
    rule = "  - {id: party, on: party, points: 1, other_side: {member: host, points: 500}}"
    shop = Shop.open(app, corner(rule, PARTY))
    member, guest, host = (shop.a_member() for _ in range(3))
    shop.event(member, "party", data={"guest": guest, "host": host})
    shop.work()
    assert (shop.available(guest), shop.available(host)) == (0, 500)
    own = shop.an_event(member, "party", data={"guest": guest, "host": member})
    assert shop.call("POST", "/v1/events", own).json["code"] == "self_referral"


def test_rules_on_one_event_give_to_one_other_member() -> None:
    rules = [
        f"  - {{id: to_{who}, on: party, points: 1, other_side: {{member: {who}, points: 5}}}}"
        for who in ("host", "guest")
    ]
    with pytest.raises(program.InvalidProgram, match="an event gives to one other member"):
        program.parse(corner("\n".join(rules), PARTY))


def test_nobody_is_promised_what_an_event_names_no_member_for(app) -> None:
    rule = "  - {id: party, on: party, points: 1, other_side: {member: host, points: 500}}"
    shop = Shop.open(app, corner(rule, 'events:\n  party: {"host?": member}\n'))
    shop.event(shop.a_member(), "party", data={})
    assert shop.work() == 0


def test_what_came_back_whole_counts_for_no_tier(app) -> None:
    shop = Shop.open(app, corner(more=SPEND_TIERS))
    delivered, reduced = shop.a_member(), shop.a_member()
    order = shop.order(delivered, 100, shipping=60000)
    assert tier(shop, delivered) == "gold"
    shop.refund(order["id"], lines=[{"sku": "cream", "quantity": 1}])
    order = shop.order(reduced, 60000, discount=59900)
    shop.refund(order["id"], amount=100)
    assert (tier(shop, delivered), tier(shop, reduced)) == ("basic", "basic")


def test_more_qualifying_points_than_can_be_kept_are_refused(app) -> None:
    rule = "  - {id: huge, on: order, points: 1, tier_points: 1000000000000, pending_days: 0}"
    shop = Shop.open(
        app,
        corner(
            rule.replace("pending", "per: 1.00, counts: [tax], rounding: floor, pending"),
            POINTS_TIERS,
        ),
    )
    order = shop.an_order(shop.a_member(), 1, tax=100000)
    answer = shop.call("POST", "/v1/orders", order)
    assert (answer.status_code, answer.json["code"]) == (422, "points_too_many")


@pytest.mark.parametrize("then", ["placed", "fulfilled"])
def test_a_moment_that_earned_stays_whatever_later_rules_wait_for(app, then: str) -> None:
    shop = Shop.open(app, corner(earn_when="paid"))
    member = shop.a_member()
    order = shop.order(member, 10000)
    shop.advance(2)
    today = shop.now().date().isoformat()
    double = f"campaigns:\n  - {{id: double, name: Double, from: {today}, multiplier: 2}}\n"
    until = double.replace("multiplier", f"until: {today}, multiplier")
    shop.apply(corner(more=double if then == "placed" else until, earn_when=then))
    path = f"/v1/orders/{order['id']}"
    known = {"paid_at": moment(shop.now()), "fulfilled_at": moment(shop.now())}
    if then == "fulfilled":
        # Fulfilled at another day than the one on which it would have earned.
        shop.call("PATCH", path, {"paid_at": known["paid_at"]})
        shop.advance(2)
        known = {"fulfilled_at": moment(shop.now())}
    assert shop.call("PATCH", path, known).json["points_earned"] == 100
    shop.refund(order["id"], amount=1000)
    assert shop.get(path)["points_earned"] == 90


def test_an_event_of_an_older_version_is_undone_and_the_books_add_up(app) -> None:
    document = corner("  - {id: hello, on: sign_up, points: 50}", POINTS_TIERS)
    shop = Shop.open(app, document)
    member = shop.a_member()
    told = shop.event(member)
    shop.apply(document + "# again\n")
    path = f"/v1/transactions/{told['transaction']}/reverse"
    shop.post(path, {"reason": "correction"}, who="admin")
    assert shop.available(member) == 0


@pytest.mark.parametrize(
    ("limit", "more"),
    [
        ("caps: {day: 100}", ""),
        ("times: {day: 1}", ""),
        ("", "balance_cap: 100\n"),
    ],
)
def test_an_amendment_takes_nothing_that_another_order_has_used_up(app, limit, more) -> None:
    rule = "\n    ".join(
        line
        for line in (
            "  - id: purchase",
            "on: order",
            "points: 1",
            "per: 1.00",
            "counts: [merchandise]",
            "rounding: floor",
            "pending_days: 0",
            limit,
        )
        if line
    )
    document = (
        "id: limits\nname: Limits\ntimezone: Europe/Berlin\ncurrency: eur\n"
        f"{more}earning:\n{rule}\nexpiry: never\n"
    )
    shop = Shop.open(app, document)
    member = shop.a_member()
    first = shop.order(member, 10000)
    path = f"/v1/orders/{first['id']}"

    def lines(amount: int) -> dict[str, object]:
        return {"lines": [{"sku": "cream", "quantity": 1, "unit_amount": amount}]}

    assert shop.call("PATCH", path, lines(0)).json["points_earned"] == 0
    assert shop.order(member, 10000)["points_earned"] == 100
    refused = shop.call("PATCH", path, lines(10000))
    assert (refused.status_code, refused.json["code"]) == (409, "amendment_above_limits")
    assert shop.available(member) == 100


def test_points_that_were_forgiven_are_not_given_again(app) -> None:
    document = corner().replace("allow_debt", "clamp")
    assert "clamp" in document or "when_spent" not in document
    if "clamp" not in document:
        document += "refunds:\n  when_spent: clamp\n"
    shop = Shop.open(app, document)
    member = shop.a_member()
    order = shop.order(member, 10000)
    earned = shop.available(member)
    shop.give(member, -earned, reason="correction")
    path = f"/v1/orders/{order['id']}"
    for amount in (1, 10000, 1, 10000):
        lines = [{"sku": "cream", "quantity": 1, "unit_amount": amount}]
        assert shop.call("PATCH", path, {"lines": lines}).status_code == 200
    assert shop.available(member) == 0
