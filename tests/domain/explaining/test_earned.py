"""What orders and events earned, read aloud: every sentence stands here as the customer sees it."""

from fractions import Fraction

import pytest

from loyalty_service.domain.earning import Line, Pins
from loyalty_service.domain.explaining.facts import Fact
from tests.domain.explaining.telling import (
    RULES,
    a_fact,
    aloud,
    an_event,
    an_order,
    dated,
    given,
    rules,
)

WHEN = ", available on 25 January 2030, good until at least 31 March 2031."
WANN = ", verfügbar ab 25. Januar 2030, gültig mindestens bis 31. März 2031."
PER_DAY = rules(("pending_days: 14}", "pending_days: 14, caps: {day: 100}}"))
ONCE = rules(("pending_days: 14}", "pending_days: 14, caps: {once: 25, month: 500}}"))
SMALL = rules(("currency: eur\n", "currency: eur\nbalance_cap: 20000\n"))
CARRYING = rules(("points: 1, per: 1.00", "points: 1, per: 10.00, carry: true"))
BY_MONEY = "points: 1, per: 1.00, counts: [merchandise], rounding: floor"
BY_ITEM = rules((BY_MONEY, "points: 5, per: item"))
VISITS = rules((BY_MONEY, "points: 10, cooldown: {minutes: 30}"))
WEEK = (
    "  - {id: week, name: Skin week, rules: [purchase], multiplier: 3,"
    " items: {categories: [skin]}%s}\n"
)
BONUS = "  - {id: bonus, name: Spring bonus, on: [order], bonus_points: 20}\n"
IN_TURN = ("campaigns:\n", "stacking: multiply\ncampaigns:\n" + WEEK % "")
ADDED_UP = ("campaigns:\n", "stacking: sum\ncampaigns:\n" + WEEK % "")
INSTEAD = ("campaigns:\n", "campaigns:\n" + WEEK % ", instead_of_tier: true")
SKIN_AND_HAIR = (Line("cream", "skin", 1, 3000), Line("comb", "hair", 2, 2500))


@pytest.mark.parametrize(
    ("fact", "english", "german"),
    [
        pytest.param(
            an_order(tier="platinum", is_birthday_month=True),
            "Order 1001: 80.00 EUR counted, 1 point per 1.00, 1.25 x as Platinum, "
            f"2 x Double points in your birthday month: 200 points{WHEN}",
            "Bestellung 1001: 80,00 EUR angerechnet, 1 Punkt je 1,00, 1,25 x als Platinum, "
            f"2 x Double points in your birthday month: 200 Punkte{WANN}",
            id="tier_and_campaign",
        ),
        pytest.param(
            an_order(8050),
            f"Order 1001: 80.50 EUR counted, 1 point per 1.00, rounded down: 80 points{WHEN}",
            f"Bestellung 1001: 80,50 EUR angerechnet, 1 Punkt je 1,00, abgerundet: 80 Punkte{WANN}",
            id="rounded",
        ),
        pytest.param(
            an_order(12345600),
            f"Order 1001: 123,456.00 EUR counted, 1 point per 1.00: 123,456 points{WHEN}",
            f"Bestellung 1001: 123.456,00 EUR angerechnet, 1 Punkt je 1,00: 123.456 Punkte{WANN}",
            id="thousands",
        ),
        pytest.param(
            an_order(of=PER_DAY, headroom={"purchase": 40}),
            f"Order 1001: 80.00 EUR counted, 1 point per 1.00, at most 100 a day: 40 points{WHEN}",
            "Bestellung 1001: 80,00 EUR angerechnet, 1 Punkt je 1,00, höchstens 100 am Tag: "
            f"40 Punkte{WANN}",
            id="capped_by_the_day",
        ),
        pytest.param(
            an_order(of=ONCE, headroom={"purchase": 300}),
            f"Order 1001: 80.00 EUR counted, 1 point per 1.00, at most 25 at once: 25 points{WHEN}",
            "Bestellung 1001: 80,00 EUR angerechnet, 1 Punkt je 1,00, höchstens 25 auf einmal: "
            f"25 Punkte{WANN}",
            id="capped_once",
        ),
        pytest.param(
            an_order(of=ONCE, headroom={"purchase": 3}),
            "Order 1001: 80.00 EUR counted, 1 point per 1.00, at most 500 a month: 3 points" + WHEN,
            "Bestellung 1001: 80,00 EUR angerechnet, 1 Punkt je 1,00, höchstens 500 im Monat: "
            f"3 Punkte{WANN}",
            id="capped_by_the_month_and_not_once",
        ),
        pytest.param(
            an_order(of=SMALL, balance_headroom=1),
            "Order 1001: 80.00 EUR counted, 1 point per 1.00: 80 points; "
            f"at most 20,000 in your account: 1 point{WHEN}",
            "Bestellung 1001: 80,00 EUR angerechnet, 1 Punkt je 1,00: 80 Punkte; "
            f"höchstens 20.000 auf deinem Konto: 1 Punkt{WANN}",
            id="balance_cap",
        ),
        pytest.param(
            an_order(of=CARRYING, carry={"purchase": Fraction(1, 2)}),
            "Order 1001: 80.00 EUR counted, 1 point per 10.00, 0.5 points carried over from "
            f"before, rounded down: 8 points{WHEN}",
            "Bestellung 1001: 80,00 EUR angerechnet, 1 Punkt je 10,00, 0,5 Punkte Rest von "
            f"früher, abgerundet: 8 Punkte{WANN}",
            id="carried",
        ),
        pytest.param(
            an_order(of=BY_ITEM, lines=(Line("brush", None, 2, 900),), tier="platinum"),
            "Order 1001: 2 items counted, 5 points each, 1.25 x as Platinum, rounded down: "
            f"12 points{WHEN}",
            "Bestellung 1001: 2 Artikel angerechnet, je 5 Punkte, 1,25 x als Platinum, abgerundet: "
            f"12 Punkte{WANN}",
            id="by_item",
        ),
        pytest.param(
            an_order(of=VISITS),
            f"Order 1001: 10 points{WHEN}",
            f"Bestellung 1001: 10 Punkte{WANN}",
            id="fixed",
        ),
        pytest.param(
            an_order(of=VISITS, tier="platinum"),
            f"Order 1001: 10 points, 1.25 x as Platinum, rounded down: 12 points{WHEN}",
            f"Bestellung 1001: 10 Punkte, 1,25 x als Platinum, abgerundet: 12 Punkte{WANN}",
            id="fixed_and_multiplied",
        ),
        pytest.param(
            an_order(of=rules(IN_TURN), tier="platinum", is_birthday_month=True),
            "Order 1001: 80.00 EUR counted, 1 point per 1.00, 1.25 x as Platinum, 3 x Skin week, "
            f"2 x Double points in your birthday month: 600 points{WHEN}",
            "Bestellung 1001: 80,00 EUR angerechnet, 1 Punkt je 1,00, 1,25 x als Platinum, "
            f"3 x Skin week, 2 x Double points in your birthday month: 600 Punkte{WANN}",
            id="campaigns_multiplied",
        ),
        pytest.param(
            an_order(of=rules(ADDED_UP), tier="platinum", is_birthday_month=True),
            "Order 1001: 80.00 EUR counted, 1 point per 1.00, 1.25 x as Platinum, 4 x Skin week, "
            f"Double points in your birthday month together: 400 points{WHEN}",
            "Bestellung 1001: 80,00 EUR angerechnet, 1 Punkt je 1,00, 1,25 x als Platinum, "
            f"4 x Skin week, Double points in your birthday month zusammen: 400 Punkte{WANN}",
            id="campaigns_added_up",
        ),
        pytest.param(
            an_order(of=rules(INSTEAD), tier="platinum"),
            f"Order 1001: 80.00 EUR counted, 1 point per 1.00, 3 x Skin week: 240 points{WHEN}",
            "Bestellung 1001: 80,00 EUR angerechnet, 1 Punkt je 1,00, 3 x Skin week: "
            f"240 Punkte{WANN}",
            id="campaign_instead_of_the_tier",
        ),
        pytest.param(
            an_order(of=rules(IN_TURN), lines=SKIN_AND_HAIR, tier="platinum"),
            "Order 1001: 80.00 EUR counted, 1 point per 1.00, 30.00 EUR of it 1.25 x as Platinum, "
            f"3 x Skin week, 50.00 EUR of it 1.25 x as Platinum: 175 points{WHEN}",
            "Bestellung 1001: 80,00 EUR angerechnet, 1 Punkt je 1,00, 30,00 EUR davon 1,25 x als "
            f"Platinum, 3 x Skin week, 50,00 EUR davon 1,25 x als Platinum: 175 Punkte{WANN}",
            id="only_some_of_it",
        ),
        pytest.param(
            an_order(of=rules(("campaigns:\n", "campaigns:\n" + BONUS))),
            "Order 1001: 80.00 EUR counted, 1 point per 1.00: 80 points; "
            f"Spring bonus: 20 points; 100 points in all{WHEN}",
            "Bestellung 1001: 80,00 EUR angerechnet, 1 Punkt je 1,00: 80 Punkte; "
            f"Spring bonus: 20 Punkte; zusammen 100 Punkte{WANN}",
            id="bonus",
        ),
        pytest.param(
            an_order(0),
            "Order 1001: 0.00 EUR counted, 1 point per 1.00: 0 points.",
            "Bestellung 1001: 0,00 EUR angerechnet, 1 Punkt je 1,00: 0 Punkte.",
            id="for_nothing",
        ),
        pytest.param(
            an_order(of=VISITS, stopped=("purchase",)),
            "Order 1001 earns no points this time: the program limits how often it gives them.",
            "Bestellung 1001 bringt diesmal keine Punkte: "
            "Das Programm begrenzt, wie oft es welche gibt.",
            id="too_often",
        ),
        pytest.param(
            an_order(of=rules(("rounding: floor,", "rounding: floor, minimum_spend: 100.00,"))),
            "Order 1001 earns no points by the program's rules.",
            "Bestellung 1001 bringt nach den Regeln des Programms keine Punkte.",
            id="no_rule",
        ),
        pytest.param(
            a_fact("earn", "order", order="1001", waiting_for="paid"),
            "Order 1001 is recorded; its points come when it is paid.",
            "Bestellung 1001 ist erfasst; die Punkte kommen, wenn sie bezahlt ist.",
            id="waits_to_be_paid",
        ),
        pytest.param(
            a_fact("earn", "order", order="1001", waiting_for="fulfilled"),
            "Order 1001 is recorded; its points come when it is delivered.",
            "Bestellung 1001 ist erfasst; die Punkte kommen, wenn sie geliefert ist.",
            id="waits_to_be_delivered",
        ),
    ],
)
def test_an_order_is_explained(fact: Fact, english: str, german: str) -> None:
    assert aloud(fact) == (english, german)


AT_ONCE = ", available at once, good until at least 31 March 2031."
SOFORT = ", sofort verfügbar, gültig mindestens bis 31. März 2031."


@pytest.mark.parametrize(
    ("fact", "english", "german"),
    [
        pytest.param(
            an_event("sign_up"),
            f"Sign-up: 50 points{AT_ONCE}",
            f"Anmeldung: 50 Punkte{SOFORT}",
            id="fixed",
        ),
        pytest.param(
            an_event("card_reload", data={"amount": 5000}),
            "Card reload: 50.00 EUR counted, 10 points per 30.00, rounded to the nearest: "
            f"17 points{AT_ONCE}",
            "Card reload: 50,00 EUR angerechnet, 10 Punkte je 30,00, auf ganze Punkte gerundet: "
            f"17 Punkte{SOFORT}",
            id="money_of_an_event_that_the_program_named",
        ),
        pytest.param(
            an_event("referral", order="1001"),
            f"Referral, with order 1001: 250 points{AT_ONCE}",
            f"Empfehlung, mit Bestellung 1001: 250 Punkte{SOFORT}",
            id="with_the_first_order",
        ),
        pytest.param(
            a_fact("earn", "event", event_type="referral", waiting_for="first_order"),
            "Referral is recorded; its points come with your first order of at least 25.00 EUR.",
            "Empfehlung ist erfasst; die Punkte kommen mit deiner ersten Bestellung ab 25,00 EUR.",
            id="waits_for_the_first_order",
        ),
        pytest.param(
            an_event("referral", pins=Pins(stopped=("friend",))),
            "Referral: no points, because you had ordered before.",
            "Empfehlung: keine Punkte, weil du schon vorher bestellt hattest.",
            id="ordered_before",
        ),
        pytest.param(
            an_event("review", pins=Pins(stopped=("opinion",))),
            "Review: no points this time, because the program limits how often it gives them.",
            "Bewertung: diesmal keine Punkte, weil das Programm begrenzt, wie oft es welche gibt.",
            id="too_often",
        ),
        pytest.param(
            an_event("feedback", data={"score": 5}),
            "Feedback: no points by the program's rules.",
            "Rückmeldung: keine Punkte nach den Regeln des Programms.",
            id="no_rule",
        ),
        pytest.param(
            dated(a_fact("earn", "other_side", given(500), event_type="referral")),
            f"Referral by another member, who named you: 500 points{AT_ONCE}",
            f"Empfehlung durch ein anderes Mitglied, das dich genannt hat: 500 Punkte{SOFORT}",
            id="the_other_side",
        ),
    ],
)
def test_an_event_is_explained(fact: Fact, english: str, german: str) -> None:
    assert aloud(fact) == (english, german)


def test_points_that_never_end_are_not_said_to() -> None:
    of = rules(("expiry: {after: {months: 12}, until_end_of: quarter}\n", "expiry: never\n"))
    english, _ = aloud(an_event("sign_up", of))
    assert english == "Sign-up: 50 points, available at once."


def test_names_are_the_pinned_ones_whatever_they_are_now() -> None:
    fact = an_order(tier="platinum", is_birthday_month=True)
    fact.context["explanation"]["names"] |= {"platinum": "Silver", "birthday": "Birthday treat"}
    assert "1.25 x as Silver, 2 x Birthday treat: 200 points" in aloud(fact)[0]
    assert RULES.tiers
