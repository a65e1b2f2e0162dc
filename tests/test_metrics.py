"""/metrics: every figure counts what it says, and its labels are few and tell nothing personal."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from loyalty_service import clock, create_app, db, metrics
from loyalty_service.config import Config
from loyalty_service.domain import backlog
from loyalty_service.domain.jobs import DEAD, Job
from tests import figures
from tests.faults.outcomes import drain, make_the_coupon
from tests.faults.test_making_a_code import ask_stripe
from tests.pages import ROOT
from tests.shop import Shop
from tests.stripe_control import StripeControl
from tests.test_db import deadlock

REQUESTS = "loyalty_request_duration_seconds_count"
SCRAPE = f"{REQUESTS}{{GET,/metrics,2xx}}"


def test_a_request_is_counted_under_its_template_and_never_its_path(shop: Shop) -> None:
    member = shop.a_member(email="ada@example.com")
    seen = figures.added(shop, lambda: [shop.get(f"/v1/members/{member}") for _ in range(3)])
    assert seen == {f"{REQUESTS}{{GET,/v1/members/<ref>,2xx}}": 3, SCRAPE: 1}
    told = shop.app.test_client().get("/metrics").text
    assert member not in told
    assert "example.com" not in told


def test_refusals_and_faults_are_counted_by_their_class(shop: Shop) -> None:
    seen = figures.added(shop, lambda: shop.call("GET", "/v1/members/ext:nobody"))
    assert seen == {f"{REQUESTS}{{GET,/v1/members/<ref>,4xx}}": 1, SCRAPE: 1}


def test_what_a_caller_invents_opens_no_series(shop: Shop) -> None:
    client = shop.app.test_client()

    def invent() -> None:
        for number in range(20):
            client.open(f"/invented/{number}", method=f"INVENT{number}")

    seen = figures.added(shop, invent)
    assert seen == {f"{REQUESTS}{{other,none,4xx}}": 20, SCRAPE: 1}


def test_a_replay_is_counted_and_a_first_answer_is_not(shop: Shop) -> None:
    def enrol() -> None:
        shop.post("/v1/members", {"external_id": "ada"}, key="the-same-key")

    assert "loyalty_idempotent_replays_total{}" not in figures.added(shop, enrol)
    assert figures.added(shop, enrol)["loyalty_idempotent_replays_total{}"] == 1


def test_an_issued_and_a_withdrawn_code_are_counted(shop: Shop) -> None:
    member = shop.a_member(points=100)
    made: list[str] = []
    seen = figures.added(shop, lambda: made.append(shop.redeem(member)["id"]))
    assert codes(seen) == {"issued": 1}
    seen = figures.added(shop, lambda: shop.post(f"/v1/redemptions/{made[0]}/cancel"))
    assert codes(seen) == {"withdrawn": 1}


def test_a_code_that_is_put_back_and_then_fails_is_counted_as_both(
    shop: Shop, stripe: StripeControl
) -> None:
    made: list[str] = []
    member = shop.a_member(points=100)
    make_the_coupon(shop)
    stripe.fault("timeout_after_success", path="/v1/promotion_codes", method="POST")
    seen = figures.added(shop, lambda: made.append(shop.redeem(member)["id"]))
    assert codes(seen) == {"put_back": 1}
    (code,) = stripe.codes(made[0])
    ask_stripe(stripe, f"promotion_codes/{code['id']}", active="false")
    assert codes(figures.added(shop, lambda: drain(shop))) == {"failed": 1}


def test_promises_that_wait_and_are_dead_are_read_from_the_database(
    shop: Shop, stripe: StripeControl
) -> None:
    stripe.fault("conflict_409", times=99, path="/v1/promotion_codes*")
    for _ in range(3):
        shop.redeem(shop.a_member(points=100))
    assert (waiting(shop, "due"), waiting(shop, "dead")) == (3, 0)
    with shop.app.app_context():
        db.transaction(kill_one_and_age_the_others)
    assert (waiting(shop, "due"), waiting(shop, "dead")) == (2, 1)
    assert 3600 <= waiting(shop, "oldest_due_age_seconds") < 7200


def test_nothing_that_waits_is_nought(shop: Shop) -> None:
    names = ("due", "dead", "oldest_due_age_seconds")
    assert [waiting(shop, name) for name in names] == [0, 0, 0]


def test_counting_promises_reads_no_promise_that_is_kept(app: Flask, kind: str) -> None:
    with app.app_context():
        plan = db.read(lambda session: plan_of(session, backlog.statement(), kind))
    assert "ix_jobs_due" in plan
    assert "ix_jobs_dead" in plan
    assert "Seq Scan" not in plan


def test_a_conflict_is_counted_each_time_the_transaction_runs_again(shop: Shop) -> None:
    tries: list[int] = []

    def work(session: Session) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise deadlock()

    def run() -> None:
        with shop.app.app_context():
            db.transaction(work)

    assert figures.added(shop, run)["loyalty_database_conflicts_total{}"] == 2


def test_what_was_counted_is_told_while_the_database_is_away() -> None:
    away = create_app(Config("postgresql+psycopg://shop@127.0.0.1:1/away", log_level="error"))
    answer = away.test_client().get("/metrics")
    assert answer.status_code == 200
    assert "loyalty_codes_total" in answer.text
    assert "loyalty_jobs_due" not in answer.text


def test_the_answer_is_what_prometheus_reads(shop: Shop) -> None:
    answer = shop.app.test_client().get("/metrics")
    assert answer.headers["Content-Type"] == metrics.MEDIA_TYPE
    assert "_created" not in answer.text


def test_the_page_for_operators_lists_every_figure_and_its_labels(shop: Shop) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| `(loyalty_\w+)` \| (.*?) \|", page, re.MULTILINE)
    told = shop.app.test_client().get("/metrics").text
    exported: dict[str, set[str]] = {
        name: set() for name in re.findall(r"^# TYPE (\w+) ", told, re.MULTILINE)
    }
    for name, labels in figures.of(shop):
        family = name.removesuffix("_count").removesuffix("_bucket").removesuffix("_sum")
        exported[family] |= {label for label, _ in labels} - {"le"}
    assert {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows} == exported
    assert len(rows) == len(exported)


@pytest.mark.parametrize("outcome", metrics.OUTCOMES)
def test_every_outcome_is_there_before_it_happens(shop: Shop, outcome: str) -> None:
    assert (
        f'loyalty_codes_total{{outcome="{outcome}"}}' in shop.app.test_client().get("/metrics").text
    )


def codes(seen: dict[str, int]) -> dict[str, int]:
    """Only what came of codes, by outcome."""
    prefix = "loyalty_codes_total{"
    return {
        name.removeprefix(prefix).rstrip("}"): count
        for name, count in seen.items()
        if name.startswith(prefix)
    }


def kill_one_and_age_the_others(session: Session) -> None:
    first = session.scalars(select(Job.id).order_by(Job.id)).first()
    session.execute(update(Job).values(created_at=clock.wall() - timedelta(hours=1)))
    session.execute(update(Job).where(Job.id == first).values(status=DEAD))


def plan_of(session: Session, statement: Any, kind: str) -> str:
    """How the database would run a statement."""
    if kind == "postgresql":
        # Of an empty table the planner would rather read everything.
        session.execute(text("SET LOCAL enable_seqscan = off"))
    explain = "EXPLAIN QUERY PLAN" if kind == "sqlite" else "EXPLAIN"
    bind = session.get_bind()
    return "\n".join(
        str(row) for row in session.execute(text(f"{explain} {statement.compile(bind)}"))
    )


def waiting(shop: Shop, name: str) -> int:
    return figures.named(figures.of(shop), f"loyalty_jobs_{name}")
