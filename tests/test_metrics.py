"""/metrics: every figure counts what it says, and its labels are few and tell nothing personal."""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from loyalty_service import clock, create_app, db, metrics, watching
from loyalty_service.config import Config
from loyalty_service.domain import backlog, inbox
from loyalty_service.domain.jobs import DEAD, DONE, Job
from loyalty_service.domain.webhooks.tables import Delivery
from tests import figures
from tests.faults.outcomes import drain, make_the_coupon
from tests.faults.test_making_a_code import ask_stripe
from tests.pages import ROOT
from tests.shop import Shop
from tests.stripe_control import StripeControl
from tests.test_db import deadlock
from tests.webhooks.conftest import listen
from tests.webhooks.receiving import Receiver, receiving

REQUESTS = "loyalty_request_duration_seconds_count"
SCRAPE = f"{REQUESTS}{{GET,/metrics,2xx}}"


def test_a_process_that_counts_alone_ends_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(metrics.VARIABLE, raising=False)
    metrics.forget_process(1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def endpoint(shop: Shop, receiver: Receiver) -> str:
    """An endpoint that wants everything; its id."""
    return listen(shop, receiver)


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


@pytest.mark.slow
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
    names = [name for name, _ in watching.FIGURES.values()]
    assert [told(shop, name) for name in names] == [0] * len(names)
    assert f"loyalty_{names[0]} 0.0" in shop.app.test_client().get("/metrics").text


def test_webhooks_that_wait_and_those_that_were_refused_are_read(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    receiver.answer = lambda event: 500
    shop.a_member(points=1)
    shop.tell()
    seen = figures.added(shop, shop.deliver)
    assert seen["loyalty_webhooks_total{put_back}"] == 1
    shop.a_member(points=2)
    shop.tell()
    age(shop, Delivery)
    assert told(shop, "webhook_deliveries_waiting") == 2
    assert told(shop, "webhook_deliveries_retrying") == 1
    assert 3600 <= told(shop, "webhook_deliveries_oldest_waiting_age_seconds") < 7200
    receiver.answer = lambda event: 204
    tomorrow = clock.wall() + timedelta(days=1)
    seen = figures.added(shop, lambda: shop.deliver(tomorrow))
    assert seen["loyalty_webhooks_total{delivered}"] == 2
    assert told(shop, "webhook_deliveries_waiting") == 0
    assert told(shop, "webhook_deliveries_oldest_waiting_age_seconds") == 0


def test_an_endpoint_that_is_gone_is_counted_and_what_waits_for_it_is_not(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    receiver.answer = lambda event: 410
    for points in (1, 2):
        shop.a_member(points=points)
    shop.tell()
    seen = figures.added(shop, shop.deliver)
    assert seen["loyalty_webhooks_total{given_up}"] == 1
    assert told(shop, "webhook_endpoints_disabled") == 1
    assert told(shop, "webhook_deliveries_waiting") == 0


def test_an_endpoint_that_a_person_switched_off_is_not_counted(shop: Shop, endpoint: str) -> None:
    off = {"status": "disabled"}
    shop.call("PATCH", f"/v1/webhook_endpoints/{endpoint}", off, who="admin")
    assert told(shop, "webhook_endpoints_disabled") == 0


def test_events_of_stripes_that_are_due_and_those_that_wait_for_a_member_are_read(
    shop: Shop,
) -> None:
    with shop.app.app_context():
        db.transaction(partial(receive_two, program_id=shop.program_id))
    assert told(shop, "stripe_events_due") == told(shop, "jobs_due") == 2
    with shop.app.app_context():
        db.transaction(partial(let_one_wait, program_id=shop.program_id))
    assert told(shop, "stripe_events_due") == 1
    assert told(shop, "stripe_events_waiting") == 1


def test_approvals_that_can_still_be_decided_are_read(shop: Shop) -> None:
    member = shop.a_member()
    asked = [shop.give(member, 600, who="agent") for _ in range(2)]
    assert told(shop, "approvals_pending") == 2
    shop.post(f"/v1/approvals/{asked[0]['id']}/approve", {}, who="manager")
    assert told(shop, "approvals_pending") == 1
    shop.advance(days=15)
    assert told(shop, "approvals_pending") == 0


def test_counting_promises_reads_no_promise_that_is_kept(app: Flask, kind: str) -> None:
    with app.app_context():
        plan = db.read(lambda session: plan_of(session, backlog.jobs_due(), kind))
    assert "ix_jobs_due" in plan
    assert "ix_jobs_dead" in plan
    assert "Seq Scan" not in plan


def test_counting_what_waits_reads_nothing_that_is_over(shop: Shop, kind: str) -> None:
    with shop.app.app_context():
        db.transaction(partial(work_on_many, program_id=shop.program_id))
        webhooks = db.read(lambda session: plan_of(session, backlog.webhooks_waiting(), kind))
        waiting = backlog.others_waiting(clock.now())
        others = db.read(lambda session: plan_of(session, waiting, kind))
    assert "ix_webhook_deliveries_due" in webhooks
    assert "ix_stripe_events_waits_for" in others
    assert "Seq Scan" not in others
    assert "SCAN approvals" not in others


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
def test_every_outcome_of_a_code_is_there_before_it_happens(shop: Shop, outcome: str) -> None:
    assert (
        f'loyalty_codes_total{{outcome="{outcome}"}}' in shop.app.test_client().get("/metrics").text
    )


@pytest.mark.parametrize("outcome", metrics.WEBHOOK_OUTCOMES)
def test_every_outcome_of_a_webhook_is_there_before_it_happens(shop: Shop, outcome: str) -> None:
    name = f'loyalty_webhooks_total{{outcome="{outcome}"}}'
    assert name in shop.app.test_client().get("/metrics").text


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
        str(row)
        for row in session.execute(
            text(f"{explain} {statement.compile(bind, compile_kwargs={'literal_binds': True})}")
        )
    )


def waiting(shop: Shop, name: str) -> int:
    return told(shop, f"jobs_{name}")


def told(shop: Shop, name: str) -> int:
    """A figure that has no labels."""
    return figures.named(figures.of(shop), f"loyalty_{name}")


def age(shop: Shop, model: Any) -> None:
    """Make every row of a table an hour older."""
    hour_ago = clock.wall() - timedelta(hours=1)
    with shop.app.app_context():
        db.transaction(lambda session: session.execute(update(model).values(created_at=hour_ago)))


def work_on_many(session: Session, program_id: str) -> None:
    """Many events of Stripe's that are over, and the database knows it."""
    at = clock.wall()
    own = {"program_id": program_id, "type": "a", "created_at": at, "received_at": at}
    rows = [{**own, "id": f"evt_{n}", "status": inbox.DONE} for n in range(1000)]
    session.execute(insert(inbox.StripeEvent), rows)
    session.execute(text("ANALYZE stripe_events"))


def receive_two(session: Session, program_id: str) -> None:
    """Two events of Stripe's that nobody has worked on."""
    for number in range(2):
        event, at = f"evt_{number}", clock.wall()
        inbox.receive(session, program_id, event, type_="a", created_at=at, payload="{}")


def let_one_wait(session: Session, program_id: str) -> None:
    """One of them was worked on, and waits for its member."""
    inbox.wait_for(inbox.require(session, program_id, "evt_0"), "cus_nobody")
    done = update(Job).where(Job.subject_id == "evt_0").values(status=DONE)
    session.execute(done)
