"""Wrong input to /v1/adjustments and to a reversal: each fault is named, nothing is written."""

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

LINES_ALLOWED = [case for case in WRONG_TEXTS if case[0] not in (None, "x" * 2001)]
WRONG_POINTS = [
    *WRONG_WHOLES,
    (0, "zero"),
    (-0.0, "zero"),
    (None, "wrong_type"),
    (10**12 + 1, "above_maximum"),
    (-(10**12) - 1, "below_minimum"),
]


def test_each_wrong_field_of_an_adjustment_is_named(shop: Shop) -> None:
    good = {
        "member": shop.a_member(),
        "points": 5,
        "reason": "appreciation",
        "note": "called\ntwice",
        "customer_note": "Sorry!",
    }
    cases = [
        *[(field, MISSING, "required") for field in ("member", "points", "reason")],
        ("point", 5, "unknown_field"),
        *each("member", WRONG_TEXTS),
        *each("points", WRONG_POINTS),
        *each("reason", WRONG_TEXTS),
        *each("note", LINES_ALLOWED),
        ("note", "x" * 2001, "too_long"),
        *each("customer_note", LINES_ALLOWED),
        ("customer_note", "x" * 501, "too_long"),
    ]
    require_all_refused(shop, "POST", "/v1/adjustments", good, cases, who="agent")


def test_each_wrong_field_of_a_reversal_is_named(shop: Shop) -> None:
    given = shop.give(shop.a_member(), 5)
    cases = [
        ("reason", MISSING, "required"),
        ("points", 5, "unknown_field"),
        *each("reason", WRONG_TEXTS),
    ]
    path = f"/v1/transactions/{given['transaction']}/reverse"
    require_all_refused(shop, "POST", path, {"reason": "correction"}, cases, who="agent")


def test_an_unknown_member_reason_or_transaction_is_refused(shop: Shop) -> None:
    member = shop.a_member()
    wrong = {"member": "mem_nobody", "points": 5, "reason": "appreciation"}
    unlisted = {"member": member, "points": 5, "reason": "because"}
    with nothing_written(shop.app):
        answer = shop.call("POST", "/v1/adjustments", wrong, who="agent")
        problem(answer, 404, "member_not_found", "member")
        answer = shop.call("POST", "/v1/adjustments", unlisted, who="agent")
        told = problem(answer, 422, "reason_not_known", "reason")
        assert "late_delivery" in told["detail"]
        answer = shop.call(
            "POST", "/v1/transactions/ltx_no/reverse", {"reason": "correction"}, who="agent"
        )
        problem(answer, 404, "transaction_not_found", "id")
        problem(shop.call("GET", "/v1/transactions/ltx_no"), 404, "transaction_not_found", "id")


def test_a_debit_above_what_is_available_says_how_much_is_missing(shop: Shop) -> None:
    member = shop.a_member(points=30)
    debit = {"member": member, "points": -50, "reason": "correction"}
    with nothing_written(shop.app, except_keys=True):
        answer = shop.call("POST", "/v1/adjustments", debit, who="agent")
    assert "20 are missing" in problem(answer, 409, "insufficient_points", "points")["detail"]
    assert shop.available(member) == 30


def test_a_closed_member_is_given_nothing(shop: Shop) -> None:
    member = shop.a_member()
    shop.call("PATCH", f"/v1/members/{member}", {"status": "closed"})
    credit = {"member": member, "points": 5, "reason": "correction"}
    with nothing_written(shop.app, except_keys=True):
        answer = shop.call("POST", "/v1/adjustments", credit, who="agent")
    told = problem(answer, 409, "member_closed", "member")
    assert told["customer_message"]


def test_more_than_a_role_may_give_is_refused(shop: Shop) -> None:
    member = shop.a_member()
    shop.give(member, 6000)
    for who, points in (("agent", 5001), ("agent", -5001), ("manager", 5001)):
        too_much = {"member": member, "points": points, "reason": "correction"}
        with nothing_written(shop.app, except_keys=True):
            answer = shop.call("POST", "/v1/adjustments", too_much, who=who)
        problem(answer, 403, "limit_exceeded", "points")


def test_a_month_is_worth_no_more_than_the_role_may_give(shop: Shop) -> None:
    member = shop.a_member()
    for _ in range(10):
        shop.give(member, 500, who="agent")
    one_more = {"member": member, "points": 1, "reason": "correction"}
    answer = shop.call("POST", "/v1/adjustments", one_more, who="agent")
    assert (answer.status_code, answer.json["object"]) == (202, "approval")
    assert shop.available(member) == 5000
    # Where nobody may approve, it is refused.
    shop.apply(program_text(("\n    manager: {per_grant: 5000, per_month: 50000}", "")))
    with nothing_written(shop.app, except_keys=True):
        answer = shop.call("POST", "/v1/adjustments", one_more, who="agent")
    assert "0 are left" in problem(answer, 403, "limit_exceeded", "points")["detail"]
    shop.give(member, 500, who="other_agent")


def test_only_adjustments_are_reversed_and_only_once(shop: Shop) -> None:
    member = shop.a_member()
    earned = shop.order(member)["transaction"]
    given = shop.give(member, 100, who="agent")["transaction"]
    spent = shop.redeem(member)["transaction"]
    reversal = shop.post(
        f"/v1/transactions/{given}/reverse", {"reason": "correction"}, who="agent"
    )["id"]
    with nothing_written(shop.app, except_keys=True):
        for transaction, code in (
            (given, "already_reversed"),
            (earned, "not_reversible"),
            (spent, "not_reversible"),
            (reversal, "not_reversible"),
        ):
            answer = shop.call(
                "POST",
                f"/v1/transactions/{transaction}/reverse",
                {"reason": "correction"},
                who="agent",
            )
            told = problem(answer, 409, code, "id")
            assert reversal in told["detail"] or transaction in told["detail"]
