"""Wrong input to /v1/redemptions, and every refusal by state: named, and nothing is written."""

from datetime import timedelta

from tests.api.contract import (
    MISSING,
    WRONG_TEXTS,
    WRONG_WHOLES,
    each,
    nothing_written,
    problem,
    program_text,
    require_all_refused,
)
from tests.shop import Shop
from tests.stripe_control import StripeControl

SETTLEMENT = "    settlement: stripe_promotion_code\n"


def test_each_wrong_field_of_a_redemption_is_named(shop: Shop) -> None:
    good = {"member": shop.a_member(points=1000), "reward": "money_off", "points": 100}
    cases = [
        *[(field, MISSING, "required") for field in ("member", "reward")],
        ("code", "ABC", "unknown_field"),
        *each("member", WRONG_TEXTS),
        *each("reward", WRONG_TEXTS),
        *each("points", WRONG_WHOLES),
        *each("points", [(-1, "below_minimum"), (-100, "below_minimum")]),
        ("points", 10**12 + 1, "above_maximum"),
    ]
    require_all_refused(shop, "POST", "/v1/redemptions", good, cases)


def test_an_unknown_member_reward_or_redemption_is_404(shop: Shop) -> None:
    member = shop.a_member(points=100)
    with nothing_written(shop.app):
        answer = shop.call("POST", "/v1/redemptions", {"member": "ext:no", "reward": "money_off"})
        problem(answer, 404, "member_not_found", "member")
        answer = shop.call("POST", "/v1/redemptions", {"member": member, "reward": "yacht"})
        assert "money_off" in problem(answer, 404, "reward_not_found", "reward")["detail"]
        problem(shop.call("GET", "/v1/redemptions/rdm_no"), 404, "redemption_not_found", "id")
        answer = shop.call("POST", "/v1/redemptions/rdm_no/cancel")
        problem(answer, 404, "redemption_not_found", "id")


def test_points_that_no_slab_has_are_refused_with_those_there_are(shop: Shop) -> None:
    member = shop.a_member(points=1000)
    with nothing_written(shop.app):
        for points in (0, 1, 99, 101, 999, 10**12):
            wish = {"member": member, "reward": "money_off", "points": points}
            answer = shop.call("POST", "/v1/redemptions", wish)
            told = problem(answer, 422, "points_not_offered", "points")
            assert "100, 250, 500, 1000, 2000" in told["detail"]


def test_too_few_points_leave_everything_as_it_was(shop: Shop) -> None:
    member = shop.a_member(points=99)
    shop.order(member, 100000)
    with nothing_written(shop.app, except_keys=True):
        answer = shop.call("POST", "/v1/redemptions", {"member": member, "reward": "money_off"})
    told = problem(answer, 409, "insufficient_points", "points")
    assert "1 are missing" in told["detail"]
    assert told["retryable"] is False


def test_who_is_suspended_or_gone_spends_nothing(shop: Shop) -> None:
    for status, code in (("suspended", "member_suspended"), ("closed", "member_closed")):
        member = shop.a_member(points=100)
        shop.call("PATCH", f"/v1/members/{member}", {"status": status})
        with nothing_written(shop.app, except_keys=True):
            answer = shop.call("POST", "/v1/redemptions", {"member": member, "reward": "money_off"})
        assert problem(answer, 409, code, "member")["customer_message"]
        assert shop.available(member) == 100


def test_what_is_sold_out_is_refused_to_the_next(shop: Shop) -> None:
    limited = with_reward(shop, "    stock: 1\n")
    limited.redeem(limited.a_member(points=100))
    member = limited.a_member(points=100)
    with nothing_written(shop.app, except_keys=True):
        answer = limited.call("POST", "/v1/redemptions", {"member": member, "reward": "money_off"})
    assert problem(answer, 409, "reward_sold_out", "reward")["customer_message"]
    assert limited.available(member) == 100


def test_a_member_has_a_limited_reward_only_so_often(shop: Shop) -> None:
    limited = with_reward(shop, "    per_member: 1\n")
    member = limited.a_member(points=300)
    limited.redeem(member)
    with nothing_written(shop.app, except_keys=True):
        answer = limited.call("POST", "/v1/redemptions", {"member": member, "reward": "money_off"})
    problem(answer, 409, "reward_limit_reached", "reward")
    limited.redeem(limited.a_member(points=100))


def test_a_reward_is_sold_on_its_days_only(shop: Shop) -> None:
    tomorrow = (shop.now() + timedelta(days=2)).date()
    yesterday = (shop.now() - timedelta(days=2)).date()
    for window in (f"{{from: {tomorrow}}}", f"{{until: {yesterday}}}"):
        limited = with_reward(shop, f"    available: {window}\n")
        member = limited.a_member(points=100)
        with nothing_written(shop.app, except_keys=True):
            answer = limited.call(
                "POST", "/v1/redemptions", {"member": member, "reward": "money_off"}
            )
        assert problem(answer, 409, "reward_not_on_sale", "reward")["customer_message"]


def test_cancelling_takes_no_fields(shop: Shop) -> None:
    redemption = shop.redeem(shop.a_member(points=100))
    path = f"/v1/redemptions/{redemption['id']}/cancel"
    require_all_refused(shop, "POST", path, {}, [("reason", "x", "unknown_field")])


def test_a_code_still_being_made_is_not_cancelled_yet(shop: Shop, stripe: StripeControl) -> None:
    stripe.fault("error_500_after", times=20)
    redemption = shop.redeem(shop.a_member(points=100))
    assert redemption["status"] == "pending"
    answer = shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel", key="again")
    assert problem(answer, 409, "redemption_pending", "id")["retryable"] is True
    stripe.clear()
    shop.work(at=shop.now() + timedelta(hours=1))
    cancelled = shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel", key="again")
    assert (cancelled.status_code, cancelled.json["status"]) == (200, "cancelled")


def test_a_used_code_is_not_cancelled(shop: Shop, stripe: StripeControl) -> None:
    redemption = shop.redeem(shop.a_member(points=100))
    stripe.pay(redemption["code"], 5000)
    path = f"/v1/redemptions/{redemption['id']}/cancel"
    problem(shop.call("POST", path), 409, "redemption_final", "id")
    with nothing_written(shop.app, except_keys=True):
        problem(shop.call("POST", path), 409, "redemption_final", "id")


def with_reward(shop: Shop, lines: str) -> Shop:
    """A shop whose reward has a limit."""
    limited = (SETTLEMENT, SETTLEMENT + lines)
    number = shop.now().strftime("%H%M%S%f")
    return Shop.open(shop.app, program_text(("id: default", f"id: limited-{number}"), limited))
