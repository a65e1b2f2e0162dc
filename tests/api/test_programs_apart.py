"""Two programs in one deployment: neither sees, names or changes what is the other's."""

from tests.api.contract import another_program, nothing_written, problem
from tests.shop import Shop


def test_ids_of_another_program_are_unknown_in_every_address(shop: Shop) -> None:
    other = another_program(shop.app)
    member = other.a_member(points=300, external_id="theirs")
    order = other.order(member)
    redemption = other.redeem(member)
    paths = {
        f"/v1/members/{member}": "member_not_found",
        "/v1/members/ext:theirs": "member_not_found",
        f"/v1/members/{member}/balance": "member_not_found",
        f"/v1/members/{member}/transactions": "member_not_found",
        f"/v1/orders/{order['id']}": "order_not_found",
        f"/v1/transactions/{order['transaction']}": "transaction_not_found",
        f"/v1/redemptions/{redemption['id']}": "redemption_not_found",
    }
    for path, code in paths.items():
        problem(shop.call("GET", path), 404, code)
        other.get(path)
    with nothing_written(shop.app):
        answer = shop.call("PATCH", f"/v1/members/{member}", {"name": "Mine"})
        problem(answer, 404, "member_not_found", "ref")
        answer = shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel")
        problem(answer, 404, "redemption_not_found", "id")
        path = f"/v1/transactions/{order['transaction']}/reverse"
        answer = shop.call("POST", path, {"reason": "correction"}, who="agent")
        problem(answer, 404, "transaction_not_found", "id")


def test_a_member_of_another_program_is_unknown_in_every_body(shop: Shop) -> None:
    other = another_program(shop.app)
    member = other.a_member(points=300, external_id="theirs")
    with nothing_written(shop.app):
        for ref in (member, "ext:theirs"):
            for path, body, who in (
                ("/v1/orders", shop.an_order(ref), "checkout"),
                ("/v1/redemptions", {"member": ref, "reward": "money_off"}, "checkout"),
                ("/v1/adjustments", {"member": ref, "points": 5, "reason": "correction"}, "agent"),
            ):
                answer = shop.call("POST", path, body, who=who)
                problem(answer, 404, "member_not_found", "member")


def test_a_cursor_of_another_program_is_unknown(shop: Shop) -> None:
    other = another_program(shop.app)
    theirs = other.a_member()
    transaction = other.give(theirs, 5)["transaction"]
    mine = shop.a_member(points=5)
    for name in ("starting_after", "ending_before"):
        answer = shop.call("GET", f"/v1/members?{name}={theirs}")
        problem(answer, 404, "cursor_not_found", name)
        answer = shop.call("GET", f"/v1/members/{mine}/transactions?{name}={transaction}")
        problem(answer, 404, "cursor_not_found", name)


def test_the_same_ids_and_keys_live_in_both_programs(shop: Shop) -> None:
    other = another_program(shop.app)
    found = []
    for each in (shop, other):
        customer = {"external_id": "c-1"}
        member = each.call("POST", "/v1/members", customer, key="same").json["id"]
        order = {**each.an_order(member), "id": "o-1"}
        recorded = each.call("POST", "/v1/orders", order, key="same-order")
        assert recorded.status_code == 201
        assert "Idempotent-Replayed" not in recorded.headers
        found.append(recorded.json["transaction"])
    assert len(set(found)) == 2
    assert [len(each.get("/v1/members")["data"]) for each in (shop, other)] == [1, 1]


def test_a_key_opens_its_own_program_only(shop: Shop) -> None:
    other = another_program(shop.app)
    assert other.get("/v1/program")["id"] == "other"
    forged = other.keys["admin"].replace("lk_other_", "lk_default_")
    answer = shop.app.test_client().get(
        "/v1/program", headers={"Authorization": f"Bearer {forged}"}
    )
    problem(answer, 401, "key_unknown")
