"""Wrong input to /v1/members: each fault is named, nothing is written."""

from tests.api.contract import (
    MISSING,
    WRONG_TEXTS,
    each,
    nothing_written,
    problem,
    require_all_refused,
)
from tests.shop import Shop

GOOD = {
    "external_id": "customer-a",
    "email": "ana@shop.example",
    "name": "Ana",
    "birthday": "1990-03-01",
    "locale": "de-AT",
}
WRONG_EMAILS = [
    ("ana", "wrong_format"),
    ("ana@", "wrong_format"),
    ("a b@shop.example", "wrong_format"),
    ("a@b@shop.example", "wrong_format"),
    ("a\nb@shop.example", "wrong_format"),
    (5, "wrong_type"),
]
WRONG_DAYS = [
    (19900301, "wrong_type"),
    ("1990-3-1", "wrong_format"),
    ("1990-02-30", "wrong_format"),
    ("01.03.1990", "wrong_format"),
    ("1990-03-01T00:00:00Z", "wrong_format"),
    ("0001-01-01", "wrong_format"),
    ("2190-01-01", "above_maximum"),
]


def test_each_wrong_field_of_an_enrolment_is_named(shop: Shop) -> None:
    cases = [
        ("external_id", MISSING, "required"),
        ("birth_day", "1990-03-01", "unknown_field"),
        *each("external_id", WRONG_TEXTS),
        *each("name", WRONG_TEXTS),
        *each("locale", WRONG_TEXTS),
        *each("email", WRONG_EMAILS),
        *each("birthday", WRONG_DAYS),
    ]
    require_all_refused(shop, "POST", "/v1/members", GOOD, cases)


def test_each_wrong_field_of_a_change_is_named(shop: Shop) -> None:
    member = shop.a_member()
    wrong = [
        *each("name", [case for case in WRONG_TEXTS if case[0] is not None]),
        *each("status", [(word, "not_a_choice") for word in ("gone", "ACTIVE", 5, "", [], {})]),
        ("status", None, "wrong_type"),
        ("external_id", "other", "unknown_field"),
        ("id", "mem_1", "unknown_field"),
        ("balance", 5, "unknown_field"),
    ]
    good = {"name": "Ana", "status": "active"}
    require_all_refused(shop, "PATCH", f"/v1/members/{member}", good, wrong)


def test_every_fault_is_told_at_once(shop: Shop) -> None:
    answer = shop.call("POST", "/v1/members", {"external_id": 5, "email": "x", "nick": "a"})
    told = problem(answer, 422, "validation_failed")
    assert {fault["param"]: fault["code"] for fault in told["errors"]} == {
        "external_id": "wrong_type",
        "email": "wrong_format",
        "nick": "unknown_field",
    }


def test_wrong_queries_name_their_parameter(shop: Shop) -> None:
    member = shop.a_member()
    for path, param in (
        ("/v1/members?limit=0", "limit"),
        ("/v1/members?limit=101", "limit"),
        ("/v1/members?limit=five", "limit"),
        ("/v1/members?limit=5.0", "limit"),
        ("/v1/members?limit=" + "9" * 30, "limit"),
        ("/v1/members?page=2", "page"),
        ("/v1/members?q=", "q"),
        ("/v1/members?q=a%00b", "q"),
        ("/v1/members?q=" + "x" * 201, "q"),
        ("/v1/members?starting_after=mem_1&ending_before=mem_2", "ending_before"),
        (f"/v1/members/{member}/balance?at=yesterday", "at"),
        (f"/v1/members/{member}/balance?at=2026-01-01", "at"),
        (f"/v1/members/{member}/balance?when=2026-01-01T00:00:00Z", "when"),
        (f"/v1/members/{member}/transactions?limit=0", "limit"),
    ):
        problem(shop.call("GET", path), 422, "validation_failed", param)


def test_an_unknown_member_is_named_by_the_reference(shop: Shop) -> None:
    with nothing_written(shop.app):
        for ref in ("mem_nobody", "ext:nobody", "ext:", "nobody", "mem_ü", "a'; DROP TABLE lots"):
            for path in ("", "/balance", "/transactions"):
                answer = shop.call("GET", f"/v1/members/{ref}{path}")
                problem(answer, 404, "member_not_found", "ref")
            answer = shop.call("PATCH", f"/v1/members/{ref}", {"name": "Ana"})
            problem(answer, 404, "member_not_found", "ref")


def test_the_shops_own_id_names_a_member_everywhere(shop: Shop) -> None:
    member = shop.a_member(external_id="c 7 ü:ext:x")
    for path in ("", "/balance", "/transactions"):
        shop.get(f"/v1/members/ext:c 7 ü:ext:x{path}")
    shop.give("ext:c 7 ü:ext:x", 200)
    assert shop.order("ext:c 7 ü:ext:x")["member"] == member
    assert shop.redeem("ext:c 7 ü:ext:x")["member"] == member


def test_an_external_id_taken_with_other_particulars_names_what_differs(shop: Shop) -> None:
    shop.post("/v1/members", GOOD)
    for field, value in (("email", "eva@shop.example"), ("name", "Eva"), ("locale", "fr")):
        with nothing_written(shop.app, except_keys=True):
            answer = shop.call("POST", "/v1/members", {**GOOD, field: value})
            problem(answer, 409, "member_exists", field)


def test_enrolling_the_same_customer_again_is_200_with_what_exists(shop: Shop) -> None:
    first = shop.call("POST", "/v1/members", GOOD)
    again = shop.call("POST", "/v1/members", GOOD)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == {**first.json, "balance": again.json["balance"]}


def test_a_closed_membership_stays_closed(shop: Shop) -> None:
    member = shop.a_member()
    path = f"/v1/members/{member}"
    assert shop.call("PATCH", path, {"status": "closed"}).status_code == 200
    for status in ("active", "suspended"):
        problem(shop.call("PATCH", path, {"status": status}), 409, "member_status_final", "status")
    assert shop.get(path)["status"] == "closed"


def test_a_change_may_empty_what_is_optional(shop: Shop) -> None:
    member = shop.post("/v1/members", GOOD)["id"]
    emptied = {name: None for name in ("email", "name", "birthday", "locale")}
    answer = shop.call("PATCH", f"/v1/members/{member}", emptied)
    assert answer.status_code == 200
    assert {name: answer.json[name] for name in emptied} == emptied
