"""Every reading route answers, and one resource looks the same wherever it is read."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty_service import wording
from tests.shop import Shop


def test_a_member_reads_the_same_by_either_name_and_in_a_list(shop: Shop) -> None:
    member = shop.a_member(birthday="1990-03-01", name="Ada Adler", email="Ada@example.com")
    by_id = shop.get(f"/v1/members/{member}")
    by_external_id = shop.get(f"/v1/members/ext:{by_id['external_id']}")
    listed = shop.get("/v1/members?q=ada@example.com")["data"][0]
    for read in (by_id, by_external_id, listed):
        read["balance"].pop("at")
    assert by_id == by_external_id == listed
    assert by_id["birthday"] == "1990-03-01"


def test_history_names_each_change_with_its_running_balance(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 4200)
    shop.give(member, 30, customer_note="Sorry about the delay.")
    history = shop.get(f"/v1/members/{member}/transactions")
    assert [row["points"] for row in history["data"]] == [30, 42]
    assert [row["balance_after"]["available"] for row in history["data"]] == [30, 0]
    assert history["data"][0]["customer_note"] == "Sorry about the delay."
    detail = shop.get(f"/v1/transactions/{history['data'][1]['id']}")
    assert detail["postings"][0]["debit"] == "issued"
    assert "42" in detail["summary"]


def test_an_order_and_a_redemption_can_be_read_again(shop: Shop) -> None:
    member = shop.a_member(points=100)
    order = shop.order(member)
    again = shop.get(f"/v1/orders/{order['id']}")
    assert again["transaction"] == order["transaction"]
    redemption = shop.redeem(member)
    assert shop.get(f"/v1/redemptions/{redemption['id']}") == redemption


def test_redemptions_are_listed_by_member_page_by_page(shop: Shop) -> None:
    member, other = shop.a_member(points=500), shop.a_member(points=100)
    shop.redeem(other)
    made = [shop.redeem(member)["id"] for _ in range(3)]
    first = shop.get(f"/v1/redemptions?member={member}&limit=2")
    assert [row["id"] for row in first["data"]] == made[:0:-1]
    assert first["has_more"]
    rest = shop.get(f"/v1/redemptions?member={member}&limit=2&starting_after={made[1]}")
    assert ([row["id"] for row in rest["data"]], rest["has_more"]) == (made[:1], False)
    back = shop.get(f"/v1/redemptions?member={member}&limit=1&ending_before={made[0]}")
    assert ([row["id"] for row in back["data"]], back["has_more"]) == ([made[1]], True)
    assert len(shop.get("/v1/redemptions")["data"]) == 4
    strange = shop.call("GET", f"/v1/redemptions?member={other}&starting_after={made[0]}")
    assert (strange.status_code, strange.json["param"]) == (404, "starting_after")


def test_the_program_and_its_rewards_can_be_read(shop: Shop) -> None:
    assert shop.get("/v1/program")["version"] == 1
    reward = shop.get("/v1/rewards")["data"][0]
    assert reward["points"] == reward["slabs"][0]["points"] == 100


def test_a_balance_at_a_future_moment_is_the_forecast(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 10000)
    assert shop.balance(member)["pending"] == 100
    assert shop.balance(member, shop.now() + timedelta(days=16))["available"] == 100


def test_the_process_is_alive_and_ready(shop: Shop) -> None:
    assert shop.get("/livez") == {"status": "alive"}
    assert shop.get("/readyz") == {"status": "ready"}


def test_points_do_not_vanish_from_the_history_when_they_expire(shop: Shop) -> None:
    """Nobody wrote to the account since: the reading itself brings the history up to date."""
    member = shop.a_member()
    shop.order(member, 4200)
    shop.advance(days=800)
    rows = shop.get(f"/v1/members/{member}/transactions")["data"]
    assert [(row["kind"], row["points"]) for row in rows] == [
        ("expiry", -42),
        ("maturity", 0),
        ("earn", 42),
    ]
    assert rows[0]["summary"] == "42 points expired unused."
    assert rows[1]["summary"] == "42 points became available."
    assert shop.balance(member)["available"] == rows[0]["balance_after"]["available"] == 0


def test_every_sentence_speaks_to_the_customer(shop: Shop) -> None:
    member = shop.a_member(points=150)
    ends_at = shop.balance(member)["expiring_next"]["expires_at"]
    last = datetime.fromisoformat(ends_at).astimezone(ZoneInfo("Europe/Berlin")) - timedelta(1)
    good = f"good until at least {wording.voice('en').written(last.date())}"
    redemption = shop.redeem(member)
    shop.post(f"/v1/redemptions/{redemption['id']}/cancel")
    given = shop.give(member, 1)
    shop.post(
        f"/v1/transactions/{given['transaction']}/reverse", {"reason": "correction"}, who="admin"
    )
    shop.give(member, -20)
    rows = shop.get(f"/v1/members/{member}/transactions")["data"]
    assert [row["summary"] for row in rows[::-1]] == [
        f"150 points given by our staff: appreciation; {good}.",
        "100 points exchanged for Money off your order.",
        f"100 points given back: Money off your order was cancelled; {good}.",
        f"1 point given by our staff: appreciation; {good}.",
        "1 point that our staff gave you was taken back: correction.",
        "20 points taken by our staff: appreciation.",
    ]


def test_the_note_for_colleagues_and_who_acted_are_for_staff_alone(shop: Shop) -> None:
    member = shop.a_member()
    given = shop.give(member, 10, who="agent", note="Was very kind on the phone.")
    path = f"/v1/transactions/{given['transaction']}"
    seen = shop.get(path, who="other_agent")
    assert (seen["note"], seen["actor"]) == ("Was very kind on the phone.", "ana@shop.example")
    for who in ("checkout", "reporting"):
        hidden = shop.get(path, who=who)
        assert (hidden["note"], hidden["actor"]) == (None, None)


def test_each_error_code_is_explained_where_its_type_points(shop: Shop) -> None:
    refused = shop.call("GET", "/v1/members/mem_nobody").json
    page, _, anchor = refused["type"].partition("#")
    explained = shop.app.test_client().get(page)
    assert explained.status_code == 200
    assert f'id="{anchor}">' in explained.text
