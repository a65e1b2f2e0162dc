"""Whole histories over HTTP, each line read aloud: what is pinned is what sentences are made of."""

from collections.abc import Callable

from tests.programs.travel import Travel

Under = Callable[..., Travel]


def told(shop: Travel, member: str, language: str) -> list[str]:
    """A member's history, oldest first."""
    answer = shop.call(
        "GET",
        f"/v1/members/{member}/transactions?limit=100",
        headers={"Accept-Language": language},
    )
    assert answer.json
    return [row["summary"] for row in answer.json["data"][::-1]]


def test_a_friends_history_says_all_that_happened(under: Under) -> None:
    shop = under()
    referrer, friend = shop.a_member(), shop.a_member()
    shop.tell(friend, "sign_up")
    shop.tell(friend, "referral", referrer=referrer)
    order = shop.buy(friend, 60050, id="1001")
    shop.work()
    assert told(shop, referrer, "en") == [
        "Referral by another member, who named you: 500 points, available at once, "
        "good until at least 31 March 2031."
    ]
    shop.taken_back(order, 20000)
    shop.call("POST", "/v1/orders/1001/cancel")
    shop.tell(friend, "referral", referrer=referrer)
    assert told(shop, friend, "en") == [
        "Sign-up: 50 points, available at once, good until at least 31 March 2031.",
        "Referral is recorded; its points come with your first order of at least 25.00 EUR.",
        "Order 1001: 600.50 EUR counted, 1 point per 1.00, rounded down: 600 points, "
        "available on 25 January 2030, good until at least 31 March 2031.",
        "You reached Platinum.",
        "Referral, with order 1001: 250 points, available at once, "
        "good until at least 31 March 2031.",
        "Refund of order 1001: it is worth 400 points now instead of 600; 200 points taken back.",
        "You are Member now instead of Platinum, because an order was refunded.",
        "Order 1001 was cancelled: it is worth 0 points now instead of 400; 400 points taken back.",
        "250 points that you had earned were taken back: the order came back.",
        "Referral is recorded; its points come with your first order of at least 25.00 EUR.",
    ]
    assert told(shop, friend, "de") == [
        "Anmeldung: 50 Punkte, sofort verfügbar, gültig mindestens bis 31. März 2031.",
        "Empfehlung ist erfasst; die Punkte kommen mit deiner ersten Bestellung ab 25,00 EUR.",
        "Bestellung 1001: 600,50 EUR angerechnet, 1 Punkt je 1,00, abgerundet: 600 Punkte, "
        "verfügbar ab 25. Januar 2030, gültig mindestens bis 31. März 2031.",
        "Du hast Platinum erreicht.",
        "Empfehlung, mit Bestellung 1001: 250 Punkte, sofort verfügbar, "
        "gültig mindestens bis 31. März 2031.",
        "Erstattung zu Bestellung 1001: sie bringt jetzt 400 Punkte statt 600; "
        "200 Punkte zurückgenommen.",
        "Du bist jetzt Member statt Platinum, weil eine Bestellung erstattet wurde.",
        "Bestellung 1001 wurde storniert: sie bringt jetzt 0 Punkte statt 400; "
        "400 Punkte zurückgenommen.",
        "250 Punkte, die du gesammelt hattest, wurden zurückgenommen: die Bestellung kam zurück.",
        "Empfehlung ist erfasst; die Punkte kommen mit deiner ersten Bestellung ab 25,00 EUR.",
    ]


def test_a_history_of_spending_owing_and_time_is_told(under: Under) -> None:
    shop = under(at="2030-05-10T10:00:00Z")
    member = shop.a_member(birthday="1990-05-31")
    order = shop.buy(member, 60000, id="1002")
    shop.go_to("2030-06-10T10:00:00Z")
    shop.redeem(member, points=1000)
    shop.taken_back(order, 15000)
    shop.call("PATCH", "/v1/orders/1002", {"lines": [_line(70000)]})
    sign_up = shop.tell(member, "sign_up")
    path = f"/v1/transactions/{sign_up['transaction']}/reverse"
    shop.post(path, {"reason": "correction"}, who="admin")
    shop.go_to("2033-01-10T10:00:00Z")
    assert told(shop, member, "en") == [
        "Order 1002: 600.00 EUR counted, 1 point per 1.00, 2 x Double points in your birthday "
        "month: 1,200 points, available on 25 May 2030, good until at least 30 June 2031.",
        "You reached Platinum.",
        "1,200 points became available.",
        "1,000 points exchanged for Money off your order.",
        "Refund of order 1002: it is worth 900 points now instead of 1,200; "
        "300 points taken back, 100 of them are owed because they were spent.",
        "You are Member now instead of Platinum, because an order was refunded.",
        "Order 1002 was changed: it is worth 1,100 points now instead of 900; "
        "200 points more, available at once, good until at least 30 June 2031.",
        "100 points repaid points that were owed.",
        "You reached Platinum.",
        "Sign-up: 50 points, available at once, good until at least 30 June 2031.",
        "50 points that you had earned were taken back: correction.",
        "Your time as Platinum ended; you are Member now.",
        "100 points expired unused.",
    ]
    german = told(shop, member, "de")
    assert german[3:9] == [
        "1.000 Punkte eingelöst: Money off your order.",
        "Erstattung zu Bestellung 1002: sie bringt jetzt 900 Punkte statt 1.200; "
        "300 Punkte zurückgenommen, 100 davon sind noch offen, weil sie schon ausgegeben waren.",
        "Du bist jetzt Member statt Platinum, weil eine Bestellung erstattet wurde.",
        "Bestellung 1002 wurde geändert: sie bringt jetzt 1.100 Punkte statt 900; "
        "200 Punkte dazu, sofort verfügbar, gültig mindestens bis 30. Juni 2031.",
        "Mit 100 Punkten wurden offene Punkte beglichen.",
        "Du hast Platinum erreicht.",
    ]
    assert german[-2:] == [
        "Deine Zeit als Platinum ist vorbei; du bist jetzt Member.",
        "100 Punkte sind ungenutzt verfallen.",
    ]


def test_a_gift_for_a_tier_comes_goes_and_comes_again(under: Under) -> None:
    shop = under(document=GIFTS)
    member = shop.a_member()
    order = shop.buy(member, 50000, id="1003")
    shop.taken_back(order, 100)
    shop.buy(member, 100, id="1004")
    gifts = [said for said in told(shop, member, "en") if "for reaching" in said]
    assert gifts == [
        "100 points for reaching Gold; good until at least 31 December 2030.",
        "100 points for reaching Gold taken back with the tier.",
        "100 points for reaching Gold again; good until at least 31 December 2030.",
    ]


def test_what_waits_for_money_says_so_until_it_comes(under: Under) -> None:
    shop = under(document=GIFTS.replace("currency: eur\n", "currency: eur\nearn_when: paid\n"))
    member = shop.a_member()
    order = shop.buy(member, 1000, id="1005")
    shop.taken_back(order, 100)
    paid = shop.now().isoformat().replace("+00:00", "Z")
    shop.call("PATCH", "/v1/orders/1005", {"paid_at": paid})
    assert told(shop, member, "en") == [
        "Order 1005 is recorded; its points come when it is paid.",
        "Refund of order 1005; it has earned no points yet.",
        "Order 1005: 9.00 EUR counted, 1 point per 1.00: 9 points, "
        "available at once, good until at least 31 December 2030.",
    ]


def _line(amount_minor: int) -> dict[str, object]:
    return {"sku": "cream", "quantity": 1, "unit_amount": amount_minor}


GIFTS = """\
id: gifts
name: Gifts
timezone: Europe/Berlin
currency: eur
earning:
  - {id: purchase, on: order, points: 1, per: 1.00, counts: [merchandise], rounding: floor,
     pending_days: 0}
tiers:
  metric: spend
  window: calendar_year
  kept: {windows: 1}
  levels:
    - {id: member, name: Member, from: 0}
    - {id: gold, name: Gold, from: 500.00, entry_points: 100}
expiry: {after: {days: 1}, until_end_of: year}
rewards: []
"""
