"""What the pages say is what the service does: examples, figures, messages, links."""

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from loyalty_service import clock, config, db
from loyalty_service.domain import calendar, earning, money, program, rewards
from loyalty_service.domain.program import parsing
from loyalty_service.domain.program.document import Rounding
from tests import pages
from tests.shop import Shop

CREAMS_AND_A_BRUSH = (earning.Line("cream", None, 2, 3000), earning.Line("brush", None, 1, 999))
ORDER = earning.OrderFacts("eur", CREAMS_AND_A_BRUSH, 500, 1000, 490)
FIELDS = pages.table("name", "kind", "bounds", "default")
RANGES = [
    (path, int(found[1]), int(found[2]))
    for path, _, bounds, _ in FIELDS
    if (found := re.match(r"(\d+) to (\d+)(?:$|,)", bounds))
]
PROBE = """\
q0q: 1
point_value: {q0q: 1}
earning:
  - q0q: 1
    items: {q0q: 1}
    caps: {q0q: 1}
    times: {q0q: 1}
    cooldown: {q0q: 1}
    other_side: {q0q: 1}
    first_order: {q0q: 1}
campaigns: [{q0q: 1}]
tiers: {q0q: 1, window: {q0q: 1}, kept: {q0q: 1}, levels: [{q0q: 1}]}
expiry: {q0q: 1, after: {q0q: 1}}
refunds: {q0q: 1}
restored_points: {q0q: 1}
rewards:
  - type: amount_off
    q0q: 1
    available: {q0q: 1}
    eligible: {q0q: 1}
    per_member: {q0q: 1}
    slabs: [{q0q: 1}]
  - {id: pay, name: P, type: amount_off, pay_with_points: {q0q: 1}}
thank_you:
  - {type: free_product, trigger: {q0q: 1, low_feedback: {q0q: 1}}, budget: {q0q: 1}, q0q: 1}
goodwill: {q0q: 1, limits: {q0q: 1, agent: {q0q: 1}, manager: {q0q: 1}}}
stripe: {q0q: 1}
"""
"""A key without a meaning in every section: the parser answers with the keys that have one."""

BASICS = {"id", "name", "timezone", "currency", "late_days", "earn_when", "stacking"}
"""Keys of a program that are no sections of their own."""


@pytest.mark.parametrize("block", pages.YAML)
def test_every_example_is_a_program_or_sections_of_one(block: str) -> None:
    if not block.startswith("# "):
        assert parsing.parse(block)
        return
    assert list(yaml.load(block, yaml.BaseLoader)) == pages.sections(block)
    assert parsing.parse(pages.with_sections(block))


def test_there_is_an_example_of_every_section() -> None:
    shown = {section for fragment in pages.FRAGMENTS for section in pages.sections(fragment)}

    assert shown == {row[0] for row in FIELDS if re.fullmatch("[a-z_]+", row[0])} - BASICS


@pytest.mark.parametrize(("counts", "amount"), pages.table("counts", "amount"))
def test_what_counts_of_an_order_is_what_the_page_says(counts: str, amount: str) -> None:
    rules = pages.program(
        earning=[pages.example("earning")[0] | {"counts": yaml.safe_load(counts)}]
    )

    (share,) = earning.earn(rules, ORDER).explanation["rules"]
    counted_minor = share["counted_minor"]

    assert money.format_major(counted_minor, "eur") == amount


@pytest.mark.parametrize(
    ("points", "per", "counted", "exactly", "floor", "nearest", "ceiling"),
    pages.table("points", "per", "counted", "exactly", "floor", "nearest", "ceiling"),
)
def test_points_are_rounded_as_the_page_says(
    points: str, per: str, counted: str, exactly: str, floor: str, nearest: str, ceiling: str
) -> None:
    rule = pages.example("earning")[0] | {"points": points, "per": per}
    earned = {
        rounding: pages.purchase(
            pages.program(earning=[rule | {"rounding": rounding.value}]), counted
        )
        for rounding in Rounding
    }

    assert {rounding: str(one.points) for rounding, one in earned.items()} == {
        Rounding.FLOOR: floor,
        Rounding.NEAREST: nearest,
        Rounding.CEILING: ceiling,
    }
    (share,) = earned[Rounding.FLOOR].explanation["rules"]
    assert Fraction(share["exact"]) == Fraction(exactly)


def test_several_rules_give_what_the_page_says() -> None:
    earned = earning.earn(parsing.parse(pages.with_sections(pages.first("earning"))), ORDER)

    assert [share["points"] for share in earned.explanation["rules"]] == [64, 2]
    assert f"so {earned.points} points" in pages.PROGRAMS


@pytest.mark.parametrize(
    ("days", "through", "available"),
    pages.table("pending_days", "pending through", "available from the first moment of"),
)
@pytest.mark.parametrize("at", ["2026-02-28T23:00", "2026-03-01T12:00", "2026-03-01T22:59"])
def test_points_wait_as_long_as_the_page_says(
    at: str, days: str, through: str, available: str
) -> None:
    rules = pages.program()
    placed_at = datetime.fromisoformat(at).replace(tzinfo=UTC)

    matures_at = calendar.matures_at(placed_at, int(days), rules.zone)

    assert pages.last_day(matures_at, rules) == through
    assert matures_at == calendar.first_moment(date.fromisoformat(available), rules.zone)


@pytest.mark.parametrize(
    ("expiry", "earned", "last"), pages.table("expiry", "earned on", "last day")
)
def test_points_last_as_long_as_the_page_says(expiry: str, earned: str, last: str) -> None:
    rules = pages.program(expiry=yaml.safe_load(expiry))

    gone_at = calendar.expires_at(pages.noon(earned), rules.expiry, rules.zone)

    assert (pages.last_day(gone_at, rules) if gone_at else "none") == last


@pytest.mark.parametrize(
    ("policy", "grace_days", "last"),
    pages.table("past_expiry", "grace_days", "can be spent through"),
)
def test_restored_points_last_as_long_as_the_page_says(
    app: Flask, policy: str, grace_days: str, last: str
) -> None:
    restored = {"past_expiry": policy} | ({"grace_days": grace_days} if grace_days else {})
    rules = pages.document(goodwill=pages.example("goodwill"), restored_points=restored)
    with clock.stopped_at(pages.noon("2025-03-31")):
        shop = Shop.open(app, rules)
        member = shop.a_member()
        shop.give(member, 100, reason="correction")
        before = shop.balance(member)["expiring_next"]
        redeemed = shop.redeem(member)
    with clock.stopped_at(pages.noon("2026-05-01")):
        shop.post(f"/v1/redemptions/{redeemed['id']}/cancel")
        after = shop.balance(member)["expiring_next"]

    assert through(before) == "2026-03-31"
    assert through(after) == last


@pytest.mark.parametrize(
    ("amount_off", "share", "minimum", "smallest"),
    pages.table("amount_off", "max_share_of_order", "minimum_order", "smallest order"),
)
def test_the_smallest_order_is_what_the_page_says(
    amount_off: str, share: str, minimum: str, smallest: str
) -> None:
    price = {"points": "100", "amount_off": amount_off, "max_share_of_order": share}
    limit = {"minimum_order": minimum} if minimum else {}
    named = {"id": "money_off", "name": "Money off", "type": "amount_off"}
    (reward,) = pages.program(rewards=[named | price | limit]).rewards

    minimum_minor = rewards.minimum_order_minor(reward, reward.slabs[0])

    assert money.format_major(minimum_minor or 0, "eur") == smallest


def test_slabs_are_no_rate() -> None:
    reward = pages.program(rewards=pages.example("rewards")).rewards[0]

    assert rewards.price(reward, 1000).amount_off_minor == 5000
    assert rewards.price(reward, 500).amount_off_minor == 3500 // 2
    assert rewards.price(reward, None).points == 100
    with pytest.raises(rewards.NoSuchSlab):
        rewards.price(reward, 300)


def test_a_sale_and_a_code_last_whole_days() -> None:
    rules = pages.program(rewards=pages.example("rewards"))
    money_off, advent = rules.rewards
    begins = calendar.first_moment(date(2026, 12, 1), rules.zone)
    ends = calendar.first_moment(date(2026, 12, 25), rules.zone)
    moment = timedelta(microseconds=1)

    asked = [begins - moment, begins, ends - moment, ends]
    assert [rewards.on_sale(advent, at, rules.zone) for at in asked] == [False, True, True, False]
    code_ends = rewards.code_expires_at(money_off, pages.noon("2026-03-01"), rules.zone)
    assert code_ends is not None
    assert f"through {pages.last_day(code_ends, rules)}" in pages.PROGRAMS
    assert rewards.code_expires_at(advent, begins, rules.zone) is None


def test_given_and_taken_points_use_up_the_month_and_undone_ones_come_back(app: Flask) -> None:
    shop = Shop.open(app, pages.document(goodwill=pages.example("goodwill")))
    member = shop.a_member()
    one_more = {"member": member, "points": 1, "reason": "correction"}
    with clock.stopped_at(pages.noon("2027-01-15")):
        gift = shop.give(member, 200, who="agent", reason="correction")
        shop.give(member, -100, who="agent", reason="correction")
        shop.give(member, 200, who="agent", reason="correction")
        asked = shop.call("POST", "/v1/adjustments", one_more, who="agent")
        assert (asked.status_code, asked.get_json()["object"]) == (202, "approval")
        path = f"/v1/transactions/{gift['transaction']}/reverse"
        shop.post(path, {"reason": "correction"}, who="manager")
        given = shop.post("/v1/adjustments", one_more, who="agent")
        assert given["object"] == "adjustment"


def test_the_version_of_the_day_an_order_was_placed_decides(app: Flask) -> None:
    double = pages.example("earning")[0] | {"points": 2}
    with clock.stopped_at(pages.noon("2027-03-10")):
        shop = Shop.open(app, pages.document())
    with clock.stopped_at(pages.noon("2027-03-20")):
        apply(app, pages.document(earning=[double]))
        member = shop.a_member()
        earned = [
            shop.order(member, 1000, placed_at=pages.noon(day))["points_earned"]
            for day in ("2027-03-01", "2027-03-19", "2027-03-20")
        ]
    assert earned == [10, 10, 20]


def test_the_service_starts_with_the_variable_that_an_example_names() -> None:
    name = pages.example("stripe")["api_key_env"]
    settings = {"LOYALTY_DATABASE_URL": "sqlite:////tmp/shop.db"}

    assert config.from_environment(settings | {name: "sk_test_one"})
    with pytest.raises(config.BadConfig):
        config.from_environment(settings | {"LOYALTY_SHOP_KEY": "sk_test_one"})


@pytest.mark.parametrize(("change", "messages"), pages.MISTAKES)
def test_a_mistake_is_answered_with_the_messages_on_the_page(change: str, messages: str) -> None:
    removed, added = (
        "".join(line[1:] for line in change.splitlines(True) if line[0] == sign) for sign in "-+"
    )
    assert pages.WHOLE.count(removed) == 1

    faults = pages.faults_of(pages.WHOLE.replace(removed, added))

    assert [str(fault) for fault in faults] == messages.splitlines()


def test_five_mistakes_are_shown() -> None:
    assert len(pages.MISTAKES) == 5


def test_the_table_of_fields_names_every_field_and_which_are_required() -> None:
    keys, required = set(), set()
    for fault in (
        *pages.faults_of(PROBE),
        *pages.faults_of("tiers: {}\nrewards: [{}]\nthank_you: [{}]"),
    ):
        path = re.sub(r"\[\d+\]", "[]", fault.path)
        if fault.message == "is missing; add it":
            required.add(path)
        if "is not a key here" in fault.message:
            options = fault.message.split("use one of ")[1].split(", ")
            keys |= {path.removesuffix("q0q") + option for option in options}

    assert {row[0] for row in FIELDS} == keys
    always = {row[0] for row in FIELDS if row[3] in ("required", "required in its section")}
    assert always == required


@pytest.mark.slow
@pytest.mark.parametrize(("path", "low", "high"), RANGES)
def test_a_field_takes_what_the_table_says_and_nothing_outside(
    path: str, low: int, high: int
) -> None:
    asked = [low - 1, low, high, high + 1]

    refused = [pages.refuses(path, number) for number in asked]

    assert refused == [True, False, False, True]


@pytest.mark.parametrize("page", pages.ALL, ids=pages.short)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = [target for target in pages.links(page) if not pages.leads_somewhere(page, target)]

    assert dead == []


def apply(app: Flask, document: str) -> None:
    with app.app_context():
        db.transaction(lambda session: program.apply(session, document))


def through(expiring: dict[str, Any] | None) -> str:
    """The last day of all the 100 points, as the page writes it."""
    if expiring is None:
        return "gone at once"
    assert expiring["points"] == 100
    return pages.last_day(datetime.fromisoformat(expiring["expires_at"]), pages.program())
