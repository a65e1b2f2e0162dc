"""Wrong input to /v1/approvals: each fault is named, nothing is written."""

import pytest

from tests.api.contract import (
    MISSING,
    WRONG_TEXTS,
    asked,
    each,
    nothing_written,
    problem,
    require_all_refused,
)
from tests.domain.test_approvals import ask
from tests.shop import Shop

LINES_ALLOWED = [case for case in WRONG_TEXTS if case[0] != "x" * 2001]


def test_each_wrong_field_of_a_rejection_is_named(shop: Shop) -> None:
    approval = ask(shop, shop.a_member())
    cases = [
        ("reason", MISSING, "required"),
        ("why", "Too much.", "unknown_field"),
        *each("reason", LINES_ALLOWED),
        ("reason", "x" * 501, "too_long"),
    ]
    path = f"/v1/approvals/{approval['id']}/reject"
    require_all_refused(shop, "POST", path, {"reason": "No."}, cases, who="manager")


def test_a_yes_takes_no_fields(shop: Shop) -> None:
    approval = ask(shop, shop.a_member())
    path = f"/v1/approvals/{approval['id']}/approve"
    cases = [("points", 10**30, "unknown_field"), ("reason", "correction", "unknown_field")]
    require_all_refused(shop, "POST", path, {}, cases, who="manager")


def test_an_unknown_approval_is_refused(shop: Shop) -> None:
    with nothing_written(shop.app):
        for id_ in ("apr_nobody", "adj_1", "9" * 400):
            path = f"/v1/approvals/{id_}"
            problem(shop.call("GET", path, who="manager"), 404, "approval_not_found", "id")
            for verb, body in (("approve", {}), ("reject", {"reason": "No."})):
                answer = shop.call("POST", f"{path}/{verb}", body, who="manager")
                problem(answer, 404, "approval_not_found", "id")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"status": "maybe"}, 422, "validation_failed"),
        ({"status": "Pending"}, 422, "validation_failed"),
        ({"member": ""}, 422, "validation_failed"),
        ({"limit": 101}, 422, "validation_failed"),
        ({"kind": "adjustment"}, 422, "validation_failed"),
        ({"member": "mem_nobody"}, 404, "member_not_found"),
        ({"starting_after": "apr_nobody"}, 404, "cursor_not_found"),
    ],
)
def test_a_wrong_query_is_named(
    shop: Shop, query: dict[str, str | int], status: int, code: str
) -> None:
    answer = shop.call("GET", asked("/v1/approvals", **query), who="manager")
    problem(answer, status, code, next(iter(query)))


def test_a_post_without_a_key_is_refused(shop: Shop) -> None:
    approval = ask(shop, shop.a_member())
    path = f"/v1/approvals/{approval['id']}/approve"
    sent = {"Authorization": f"Bearer {shop.keys['manager']}"}
    with nothing_written(shop.app):
        answer = shop.app.test_client().post(path, json={}, headers=sent)
        problem(answer, 400, "idempotency_key_missing", "Idempotency-Key")
