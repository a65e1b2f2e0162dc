"""Whatever changes is told, in Stripe's order and with the object as it was then."""

from loyalty_service.sandbox import contract

from .conftest import Caller

CODE = "discounts[0][promotion_code]"


def test_an_event_has_stripes_shape(stripe: Caller) -> None:
    coupon = stripe("POST", "/v1/coupons", {"percent_off": "12.5"}, key="k-1").json()
    (event,) = stripe.events()
    assert event["id"].startswith("evt_")
    assert (event["object"], event["type"]) == ("event", "coupon.created")
    assert event["api_version"] == contract.api_version()
    assert event["data"] == {"object": coupon}
    assert (event["livemode"], event["pending_webhooks"]) == (False, 0)
    assert event["request"]["id"].startswith("req_")
    assert event["request"]["idempotency_key"] == "k-1"
    assert stripe("GET", f"/v1/events/{event['id']}").json() == event
    assert stripe("GET", "/v1/events/evt_nobody").status_code == 404


def test_what_nobody_asked_for_over_the_api_names_no_request(stripe: Caller) -> None:
    stripe.buy()
    assert stripe.events()[-1]["request"] == {"id": None, "idempotency_key": None}


def test_an_event_keeps_the_object_as_it_was(stripe: Caller) -> None:
    customer = stripe("POST", "/v1/customers", {"name": "Ada", "metadata[a]": "1"}).json()["id"]
    stripe("POST", f"/v1/customers/{customer}", {"name": "Grace", "metadata[a]": "2"})
    made, changed = stripe.events()
    assert made["data"]["object"]["name"] == "Ada"
    assert made["data"]["object"]["metadata"] == {"a": "1"}
    assert changed["type"] == "customer.updated"
    assert changed["data"]["object"]["name"] == "Grace"
    assert changed["data"]["previous_attributes"] == {"name": "Ada", "metadata": {"a": "1"}}


def test_a_change_of_nothing_is_no_event(stripe: Caller) -> None:
    code = stripe.code().json()["id"]
    stripe("POST", f"/v1/promotion_codes/{code}", {"active": "true"})
    assert stripe.types() == ["coupon.created", "promotion_code.created"]


def test_what_is_refused_is_no_event(stripe: Caller) -> None:
    stripe("POST", "/v1/coupons", {})
    stripe.buy(code="NOBODYS")
    assert stripe.events() == []


def test_a_repeated_call_is_one_event(stripe: Caller) -> None:
    for _ in range(2):
        stripe("POST", "/v1/customers", {"name": "Ada"}, key="k-1")
    assert stripe.types() == ["customer.created"]


def test_a_withdrawn_code_is_told_with_what_it_was(stripe: Caller) -> None:
    code = stripe.code().json()["id"]
    stripe("POST", f"/v1/promotion_codes/{code}", {"active": "false"})
    event = stripe.events(type="promotion_code.updated")[0]
    assert event["data"]["object"]["active"] is False
    assert event["data"]["previous_attributes"] == {"active": True}


def test_a_purchase_with_a_code_tells_of_code_payment_and_session(stripe: Caller) -> None:
    stripe.code(code="THANKS")
    session = stripe.buy(5000, code="thanks", client_reference_id="A-1", metadata={"a": "b"})
    assert (session["amount_total"], session["client_reference_id"]) == (4500, "A-1")
    assert stripe.types()[2:] == [
        "promotion_code.updated",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    used, charged, paid, completed = stripe.events()[2:]
    assert used["data"]["previous_attributes"] == {"active": True, "times_redeemed": 0}
    assert charged["data"]["object"]["amount"] == 4500
    assert charged["data"]["object"]["payment_intent"] == paid["data"]["object"]["id"]
    assert completed["data"]["object"] == session


def test_events_are_found_by_type_and_time_page_by_page(stripe: Caller) -> None:
    for name in ("Ada", "Grace"):
        stripe("POST", "/v1/customers", {"name": name})
    now = stripe.control("POST", "clock", {"advance_seconds": 3600})["now"]
    stripe.code()
    assert [e["type"] for e in stripe.events(type="customer.created")] == ["customer.created"] * 2
    late = {"created[gte]": now}
    assert [e["type"] for e in stripe.events(**late)] == [
        "coupon.created",
        "promotion_code.created",
    ]
    both = {"types[0]": "coupon.created", "types[1]": "customer.created"}
    assert len(stripe.events(**both)) == 3
    assert stripe("GET", "/v1/events", {"type": "a", "types[0]": "b"}).status_code == 400
    every = [each["id"] for each in stripe.events()][::-1]
    walked: list[str] = []
    has_more = True
    while has_more:
        cursor = {"starting_after": walked[-1]} if walked else {}
        page = stripe("GET", "/v1/events", {"limit": 3, **cursor}).json()
        walked += [each["id"] for each in page["data"]]
        has_more = page["has_more"]
    assert walked == every


def test_an_unknown_cursor_is_refused(stripe: Caller) -> None:
    refused = stripe("GET", "/v1/charges", {"starting_after": "ch_nobody"})
    assert refused.json()["error"]["param"] == "starting_after"


def test_a_cursor_that_fits_the_filter_no_more_still_counts(stripe: Caller) -> None:
    codes = [stripe.code().json()["id"] for _ in range(3)]
    stripe("POST", f"/v1/promotion_codes/{codes[1]}", {"active": "false"})
    form = {"active": "true", "starting_after": codes[1]}
    page = stripe("GET", "/v1/promotion_codes", form).json()
    assert [each["id"] for each in page["data"]] == codes[:1]
