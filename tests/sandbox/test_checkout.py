import pytest

from .conftest import Caller

DISCOUNT = "discounts[0][promotion_code]"


def promotion(stripe: Caller, promotion_code_id: str) -> dict[str, object]:
    answer: dict[str, object] = stripe("GET", f"/v1/promotion_codes/{promotion_code_id}").json()
    return answer


def test_a_paid_session_uses_the_code_up(stripe: Caller) -> None:
    code = stripe.code(code="THANKS").json()
    session = stripe.checkout(**{DISCOUNT: code["id"], "client_reference_id": "A-1"}).json()
    assert (session["status"], session["amount_total"]) == ("open", 2500)
    assert promotion(stripe, code["id"])["times_redeemed"] == 0
    paid = stripe.pay(session["id"])
    assert (paid["status"], paid["payment_status"]) == ("complete", "paid")
    assert (paid["amount_subtotal"], paid["amount_total"]) == (3000, 2500)
    assert paid["total_details"]["amount_discount"] == 500
    assert paid["discounts"] == [{"coupon": None, "promotion_code": code["id"]}]
    assert paid["payment_intent"].startswith("pi_")
    used = promotion(stripe, code["id"])
    assert (used["times_redeemed"], used["active"]) == (1, False)
    coupon = stripe("GET", f"/v1/coupons/{code['promotion']['coupon']}").json()
    assert coupon["times_redeemed"] == 1
    assert stripe("GET", f"/v1/checkout/sessions/{session['id']}").json() == paid


def test_a_session_is_paid_once(stripe: Caller) -> None:
    session = stripe.checkout().json()
    assert stripe.pay(session["id"])["payment_status"] == "paid"
    assert "no longer open" in stripe.pay(session["id"])["error"]["message"]


def test_of_two_sessions_with_one_code_only_one_is_paid(stripe: Caller) -> None:
    code = stripe.code().json()
    first, second = (stripe.checkout(**{DISCOUNT: code["id"]}).json()["id"] for _ in range(2))
    assert stripe.pay(first)["status"] == "complete"
    assert "maximum number of times" in stripe.pay(second)["error"]["message"]
    assert promotion(stripe, code["id"])["times_redeemed"] == 1


@pytest.mark.parametrize(
    ("percent", "discount"), [("12.5", 312), ("33.33", 831), ("100", 2494), ("0.02", 0)]
)
def test_a_percentage_is_rounded_to_the_nearest_unit(
    stripe: Caller, percent: str, discount: int
) -> None:
    coupon = stripe.coupon(percent_off=percent)
    code = stripe.code(**{"promotion[coupon]": coupon}).json()
    session = stripe.checkout(2494, **{DISCOUNT: code["id"]}).json()
    assert session["total_details"]["amount_discount"] == discount


def test_more_off_than_the_order_leaves_nothing_to_pay(stripe: Caller) -> None:
    code = stripe.code().json()
    paid = stripe.pay(stripe.checkout(300, **{DISCOUNT: code["id"]}).json()["id"])
    assert (paid["amount_total"], paid["payment_status"]) == (0, "no_payment_required")


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (
            {"restrictions[minimum_amount]": 3001, "restrictions[minimum_amount_currency]": "usd"},
            "minimum amount requirement",
        ),
        (
            {"restrictions[minimum_amount]": 1, "restrictions[minimum_amount_currency]": "eur"},
            "minimum amount requirement",
        ),
        ({"active": "false"}, "not active"),
    ],
)
def test_a_code_that_does_not_apply_is_refused(
    stripe: Caller, limit: dict[str, object], words: str
) -> None:
    code = stripe.code(**limit).json()
    refused = stripe.checkout(3000, **{DISCOUNT: code["id"]})
    assert refused.status_code == 400
    assert words in refused.json()["error"]["message"]


def test_the_minimum_itself_is_enough(stripe: Caller) -> None:
    minimum = {"restrictions[minimum_amount]": 3000, "restrictions[minimum_amount_currency]": "usd"}
    code = stripe.code(**minimum).json()
    assert stripe.checkout(3000, **{DISCOUNT: code["id"]}).status_code == 200


def test_a_customers_code_is_of_no_use_to_others(stripe: Caller) -> None:
    ada, grace = (stripe("POST", "/v1/customers", {"name": n}).json()["id"] for n in ("A", "G"))
    code = stripe.code(customer=ada).json()["id"]
    refused = stripe.checkout(**{DISCOUNT: code, "customer": grace})
    assert "another customer" in refused.json()["error"]["message"]
    assert stripe.checkout(**{DISCOUNT: code, "customer": ada}).status_code == 200


def test_a_coupon_in_another_currency_does_not_apply(stripe: Caller) -> None:
    coupon = stripe.coupon(amount_off=500, currency="eur")
    code = stripe.code(**{"promotion[coupon]": coupon}).json()["id"]
    refused = stripe.checkout(**{DISCOUNT: code})
    assert "another currency" in refused.json()["error"]["message"]


def test_what_ends_while_the_customer_types_is_refused_at_payment(stripe: Caller) -> None:
    now = stripe.control("POST", "clock", {"advance_seconds": 0})["now"]
    short = stripe.code(expires_at=now + 60).json()["id"]
    withdrawn = stripe.code().json()["id"]
    sessions = [stripe.checkout(**{DISCOUNT: each}).json()["id"] for each in (short, withdrawn)]
    stripe.control("POST", "clock", {"advance_seconds": 60})
    stripe("POST", f"/v1/promotion_codes/{withdrawn}", {"active": "false"})
    assert "expired" in stripe.pay(sessions[0])["error"]["message"]
    assert "not active" in stripe.pay(sessions[1])["error"]["message"]


def test_a_customer_may_type_the_code_where_the_session_allows_it(stripe: Caller) -> None:
    stripe.code(code="THANKS")
    closed = stripe.checkout().json()["id"]
    assert "takes no promotion code" in stripe.pay(closed, code="THANKS")["error"]["message"]
    opened = stripe.checkout(allow_promotion_codes="true").json()["id"]
    assert "invalid" in stripe.pay(opened, code="THANK")["error"]["message"]
    assert stripe.pay(opened, code="thanks")["amount_total"] == 2500


@pytest.mark.parametrize(
    "form",
    [
        {"mode": "subscription"},
        {"customer": "cus_nobody"},
        {"currency": "eur"},
        {"line_items[0][quantity]": 0},
        {"line_items[0][price]": "price_1"},
        {DISCOUNT: "promo_nobody"},
        {DISCOUNT: "promo_nobody", "discounts[1][promotion_code]": "promo_nobody"},
        {"shipping_options[0][shipping_rate]": "shr_1"},
    ],
)
def test_a_session_that_cannot_be_right_is_refused(stripe: Caller, form: dict[str, str]) -> None:
    assert stripe.checkout(**form).status_code == 400
    assert stripe.control("GET", "state")["checkout_sessions"] == []
