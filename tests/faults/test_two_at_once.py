"""Between commit, call and settle others may come in between: each promise is still kept once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from loyalty_service import db
from loyalty_service.domain import jobs, redemptions
from loyalty_service.domain.codes import ISSUE_CODE
from loyalty_service.domain.lists import Page
from tests.faults.outcomes import (
    CODES,
    POINTS,
    a_customer,
    assert_one_code,
    assert_restored,
    deadline,
    drain,
    get,
    later,
    make_the_coupon,
    open_jobs,
)
from tests.promises import promise_of
from tests.shop import Shop
from tests.stripe_control import StripeControl, together


def test_two_workers_keep_each_promise_once(shop: Shop, stripe: StripeControl) -> None:
    stripe.fault("conflict_409", times=8)
    redeemed = [shop.redeem(a_customer(shop)) for _ in range(8)]
    stripe.clear()
    due = later()
    handled = together(2, lambda _: shop.work(at=due))
    assert sum(handled) == 8
    drain(shop)
    for redemption in redeemed:
        assert_one_code(shop, stripe, redemption)


def test_a_worker_that_comes_while_the_request_still_asks_makes_no_second_code(
    shop: Shop, stripe: StripeControl
) -> None:
    with held(shop, stripe, "hold_before", lambda: shop.redeem(a_customer(shop))) as answer:
        # The request's lease is over, its call is not.
        assert shop.work(at=later()) == 1
        assert "conflict" in str(open_jobs(shop)[0].last_error)
        stripe.clear()
    assert answer()["status"] == "issued"
    drain(shop)
    assert_one_code(shop, stripe, answer())


def test_a_worker_that_finds_the_code_first_leaves_nothing_for_the_request_to_spoil(
    shop: Shop, stripe: StripeControl
) -> None:
    with held(shop, stripe, "hold_after", lambda: shop.redeem(a_customer(shop))) as answer:
        assert shop.work(at=later()) == 1
        assert open_jobs(shop) == []
        stripe.clear()
    assert_one_code(shop, stripe, answer())
    assert open_jobs(shop) == []


def test_a_request_that_settles_after_a_cancellation_changes_nothing(
    shop: Shop, stripe: StripeControl
) -> None:
    member = a_customer(shop)
    with held(shop, stripe, "hold_after", lambda: shop.redeem(member)) as answer:
        shop.work(at=later())
        mine = only_redemption(shop, member)
        assert shop.post(f"/v1/redemptions/{mine}/cancel", {})["status"] == "cancelled"
        stripe.clear()
    assert answer()["status"] == "cancelled"
    assert_restored(shop, stripe, answer())


def test_a_late_unclear_answer_does_not_reopen_a_promise_that_was_kept(
    shop: Shop, stripe: StripeControl
) -> None:
    make_the_coupon(shop)
    stripe.fault("error_500_after", path=CODES, method="POST")
    late = claimed_by_nobody(shop)
    drain(shop)
    with shop.app.app_context():
        db.transaction(lambda session: jobs.try_again(session, late, "late", next_key=True))
    assert open_jobs(shop) == []


def test_a_code_that_comes_to_light_after_the_points_went_back_is_withdrawn(
    shop: Shop, stripe: StripeControl
) -> None:
    member = a_customer(shop)
    with held(shop, stripe, "hold_after", lambda: shop.redeem(member)) as answer:
        somebody_else_was_refused(shop, only_redemption(shop, member))
        stripe.clear()
    assert answer()["status"] == "failed"
    drain(shop)
    assert_restored(shop, stripe, answer())


def test_a_duplicate_of_a_request_under_way_waits_for_its_code(
    shop: Shop, stripe: StripeControl
) -> None:
    member = a_customer(shop)
    make_the_coupon(shop)
    answers = together(6, lambda _: one_click(shop, member).json)
    assert {answer["id"] for answer in answers} == {answers[0]["id"]}
    assert {answer["code"] for answer in answers} == {get(shop, answers[0])["code"]}
    assert_one_code(shop, stripe, answers[0])


def test_a_duplicate_of_a_request_that_hangs_is_202_within_its_own_deadline(
    shop: Shop, stripe: StripeControl
) -> None:
    member = a_customer(shop)
    with held(shop, stripe, "hold_before", lambda: one_click(shop, member).json) as answer:
        deadline(shop, 100)
        second = one_click(shop, member)
        assert (second.status_code, second.json["status"]) == (202, "pending")
        stripe.clear()
    assert answer()["id"] == second.json["id"]
    assert_one_code(shop, stripe, answer())


def test_many_tills_redeem_one_member_and_never_more_than_the_points_allow(
    shop: Shop, stripe: StripeControl
) -> None:
    make_the_coupon(shop)
    member = shop.a_member(points=350)
    body = {"member": member, "reward": "money_off"}
    answers = together(8, lambda _: shop.call("POST", "/v1/redemptions", body))
    drain(shop)
    taken = [answer.json for answer in answers if answer.status_code in (201, 202)]
    assert len(taken) == 3
    assert {answer.status_code for answer in answers} <= {201, 202, 409}
    assert shop.available(member) == 50
    for redemption in taken:
        assert [code["active"] for code in stripe.codes(redemption["id"])] == [True]


def test_many_cancel_at_once_and_the_points_come_back_once(
    shop: Shop, stripe: StripeControl
) -> None:
    redemption = shop.redeem(a_customer(shop))
    path = f"/v1/redemptions/{redemption['id']}/cancel"
    answers = together(6, lambda _: shop.call("POST", path, {}))
    assert {answer.status_code for answer in answers} <= {200, 202}
    drain(shop)
    assert shop.available(redemption["member"]) == POINTS
    assert_restored(shop, stripe, redemption)


@contextmanager
def held(
    shop: Shop, stripe: StripeControl, when: str, work: Callable[[], Any]
) -> Iterator[Callable[[], Any]]:
    """Do `work` in a thread, and the block once Stripe holds its call for a code."""
    make_the_coupon(shop)
    stripe.fault(when, path=CODES, method="POST")
    with meanwhile(work) as answer:
        stripe.wait_for_held()
        yield answer


@contextmanager
def meanwhile(work: Callable[[], Any]) -> Iterator[Callable[[], Any]]:
    """Do `work` in a thread; its result is there after the block."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    yield lambda: results[0]
    thread.join(timeout=30)
    assert not thread.is_alive()


def one_click(shop: Shop, member: str) -> TestResponse:
    """The same request each time, under the same key."""
    body = {"member": member, "reward": "money_off"}
    return shop.call("POST", "/v1/redemptions", body, key="one-click")


def only_redemption(shop: Shop, member: str) -> str:
    with shop.app.app_context():
        return db.read(
            lambda session: redemptions.listed(session, shop.program_id, member, Page(2))[0].id
        )


def claimed_by_nobody(shop: Shop) -> jobs.Claimed:
    """A promise as its first holder knows it, whose call ended unclear."""
    redemption = shop.redeem(a_customer(shop))
    with shop.app.app_context():
        row = db.read(
            lambda session: promise_of(session, shop.program_id, ISSUE_CODE, redemption["id"])
        )
    return jobs.Claimed(row.program_id, row.id, row.kind, row.subject_id, 1, 0)


def somebody_else_was_refused(shop: Shop, redemption_id: str) -> None:
    """What a worker settles when Stripe says no to it."""

    def work(session: Session) -> None:
        row = promise_of(session, shop.program_id, ISSUE_CODE, redemption_id)
        claimed = jobs.Claimed(row.program_id, row.id, row.kind, row.subject_id, 2, 0)
        redemptions.failed(session, shop.program_id, redemption_id, "refused")
        jobs.done(session, claimed)

    with shop.app.app_context():
        db.transaction(work)
