import pytest

from .conftest import Caller


def error(answer: object) -> dict[str, str]:
    return answer.json()["error"]  # type: ignore[attr-defined, no-any-return]


def test_a_code_has_stripes_shape(stripe: Caller) -> None:
    coupon = stripe.coupon()
    code = stripe.code(**{"promotion[coupon]": coupon, "code": "Thanks-5"}).json()
    assert code["id"].startswith("promo_")
    assert code["object"] == "promotion_code"
    assert code["promotion"] == {"coupon": coupon, "type": "coupon"}
    assert (code["active"], code["times_redeemed"], code["livemode"]) == (True, 0, False)
    assert stripe("GET", f"/v1/promotion_codes/{code['id']}").json() == code


def test_an_active_code_is_unique_in_any_case(stripe: Caller) -> None:
    stripe.code(code="THANKS")
    refused = stripe.code(code="thanks")
    assert refused.status_code == 400
    assert error(refused)["code"] == "resource_already_exists"
    assert error(refused)["message"] == (
        "An active promotion code with `code: thanks` already exists."
    )


def test_a_withdrawn_code_makes_room(stripe: Caller) -> None:
    first = stripe.code(code="THANKS").json()
    stripe("POST", f"/v1/promotion_codes/{first['id']}", {"active": "false"})
    assert stripe.code(code="THANKS").status_code == 200
    again = stripe("POST", f"/v1/promotion_codes/{first['id']}", {"active": "true"})
    assert error(again)["code"] == "resource_already_exists"


def test_two_customers_may_have_the_same_code_but_not_beside_everyones(stripe: Caller) -> None:
    ada, grace = (stripe("POST", "/v1/customers", {"name": n}).json()["id"] for n in ("A", "G"))
    assert stripe.code(code="THANKS", customer=ada).status_code == 200
    assert stripe.code(code="THANKS", customer=grace).status_code == 200
    assert stripe.code(code="THANKS", customer=ada).status_code == 400
    assert stripe.code(code="THANKS").status_code == 400


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"code": "THANK YOU"}, "code"),
        ({"promotion[coupon]": "nothing"}, "promotion[coupon]"),
        ({"customer": "cus_nobody"}, "customer"),
        ({"expires_at": 1}, "expires_at"),
        ({"restrictions[minimum_amount]": 5}, "restrictions"),
        ({"restrictions[first_time_transaction]": "true"}, "first_time_transaction"),
        ({"expand[0]": "coupon"}, "expand"),
    ],
)
def test_what_stripe_refuses_creates_nothing(
    stripe: Caller, form: dict[str, object], param: str
) -> None:
    refused = stripe.code(**form)
    assert refused.status_code == 400
    assert error(refused)["param"] == param
    assert stripe.control("GET", "state")["promotion_codes"] == []


def test_a_code_past_its_date_is_not_active_and_cannot_be_activated(stripe: Caller) -> None:
    now = stripe.control("POST", "clock", {"advance_seconds": 0})["now"]
    code = stripe.code(code="THANKS", expires_at=now + 3600).json()
    stripe.control("POST", "clock", {"advance_seconds": 3600})
    path = f"/v1/promotion_codes/{code['id']}"
    assert stripe("GET", path).json()["active"] is False
    assert stripe("POST", path, {"active": "true"}).status_code == 400
    assert stripe.code(code="THANKS").status_code == 200


def test_metadata_is_merged_and_an_empty_value_unsets(stripe: Caller) -> None:
    code = stripe.code(**{"metadata[a]": "1", "metadata[b]": "2"}).json()
    path = f"/v1/promotion_codes/{code['id']}"
    changed = stripe("POST", path, {"metadata[a]": "", "metadata[c]": "3"}).json()
    assert changed["metadata"] == {"b": "2", "c": "3"}
    assert stripe("POST", path, {"metadata": ""}).json()["metadata"] == {}


def test_a_list_is_filtered_and_paged_newest_first(stripe: Caller) -> None:
    coupon = stripe.coupon()
    ids = [
        stripe.code(**{"promotion[coupon]": coupon, "code": f"C-{n}"}).json()["id"]
        for n in range(3)
    ]
    stripe("POST", f"/v1/promotion_codes/{ids[0]}", {"active": "false"})
    stripe.code(code="OTHER")

    def found(**form: object) -> list[str]:
        return [each["id"] for each in stripe("GET", "/v1/promotion_codes", form).json()["data"]]

    assert found(coupon=coupon) == ids[::-1]
    assert found(coupon=coupon, active="true") == [ids[2], ids[1]]
    assert found(code="c-0") == [ids[0]]
    assert found(coupon=coupon, starting_after=ids[2]) == [ids[1], ids[0]]
    assert found(coupon=coupon, ending_before=ids[0]) == [ids[2], ids[1]]
    page = stripe("GET", "/v1/promotion_codes", {"coupon": coupon, "limit": 2}).json()
    assert (page["object"], page["has_more"], len(page["data"])) == ("list", True, 2)


def test_an_expanded_coupon_is_the_coupon_itself(stripe: Caller) -> None:
    code = stripe.code(**{"expand[0]": "promotion.coupon"}).json()
    assert code["promotion"]["coupon"]["amount_off"] == 500
    listed = stripe("GET", "/v1/promotion_codes", {"expand[]": "data.promotion.coupon"}).json()
    assert listed["data"][0]["promotion"]["coupon"]["object"] == "coupon"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"amount_off": 500},
        {"amount_off": 0, "currency": "usd"},
        {"amount_off": 500, "currency": "usd", "percent_off": 5},
        {"percent_off": 101},
        {"percent_off": "12.345"},
        {"percent_off": 5, "name": "x" * 41},
        {"percent_off": 5, "redeem_by": 1},
        {"percent_off": 5, "duration": "repeating"},
        {"percent_off": 5, "applies_to[products][0]": "prod_1"},
    ],
)
def test_a_coupon_that_stripe_would_refuse_is_refused(
    stripe: Caller, form: dict[str, object]
) -> None:
    assert stripe("POST", "/v1/coupons", form).status_code == 400
    assert stripe.control("GET", "state")["coupons"] == []


def test_a_coupon_id_is_taken_once(stripe: Caller) -> None:
    assert stripe.coupon(id="five", percent_off=5) == "five"
    refused = stripe("POST", "/v1/coupons", {"id": "five", "percent_off": 5})
    assert error(refused)["code"] == "resource_already_exists"
    assert stripe("GET", "/v1/coupons/five").json()["percent_off"] == 5
    assert stripe("GET", "/v1/coupons/six").status_code == 404
