"""What must be true after every kill, whatever was interrupted."""

from collections import Counter, defaultdict
from typing import Any

from flask import Flask
from sqlalchemy import select

from loyalty_service import db
from loyalty_service.domain.codes import CANCELLED, ISSUED
from loyalty_service.domain.ledger import Account, Transaction
from loyalty_service.domain.orders import Order
from loyalty_service.domain.redemptions import Redemption
from tests.faults.clients import Told

REDEMPTIONS = "/v1/redemptions"
ORDERS = "/v1/orders"
ADJUSTMENTS = "/v1/adjustments"


def assert_true(app: Flask, codes: list[dict[str, Any]], told: list[Told]) -> None:
    """Codes at Stripe, points in the books and what callers were told are one story."""
    rows = {row.id: row for row in every(app, Redemption)}
    assert_codes(rows, codes)
    assert_told(rows, told)
    assert_once(app, rows, told)
    assert_points(app, rows, told)


def assert_codes(rows: dict[str, Redemption], codes: list[dict[str, Any]]) -> None:
    """One promotion code for each redemption; usable exactly while its points are spent."""
    by_redemption: dict[str, list[Any]] = defaultdict(list)
    for code in codes:
        # Thanks have codes, too, which their own tests look at.
        if "loyalty_redemption" in code["metadata"]:
            by_redemption[code["metadata"]["loyalty_redemption"]].append(code)
    strays = set(by_redemption) - set(rows)
    assert not strays, f"codes at Stripe without points spent: {strays}"
    for row in rows.values():
        made = [(code["code"], code["active"]) for code in by_redemption[row.id]]
        assert row.status in (ISSUED, CANCELLED), (row.id, row.status, row.failure)
        assert made == [(row.code, row.status == ISSUED)], (row.id, row.status, made)
        assert (row.restored_by is None) == (row.status == ISSUED), row.id


def assert_told(rows: dict[str, Redemption], told: list[Told]) -> None:
    """Every answer under a key named the same thing, and what it said is still true."""
    cancelled = {one.final["id"] for one in told if one.path.endswith("/cancel") and one.done}
    for one in told:
        if not one.done:
            assert {answer["code"] for answer in one.answers} == {one.final["code"]}, one
            continue
        assert len({answer["id"] for answer in one.answers}) == 1, one
        if one.path.startswith(REDEMPTIONS):
            row = rows[one.final["id"]]
            said = {answer["code"] for answer in one.answers} - {None}
            assert said <= {row.code}, (one, row.code)
            assert row.status == (CANCELLED if row.id in cancelled else ISSUED), one


def assert_once(app: Flask, rows: dict[str, Redemption], told: list[Told]) -> None:
    """As many redemptions, orders and adjustments as were acknowledged, no more and no fewer."""
    redeemed = {one.final["id"] for one in done(told, REDEMPTIONS)}
    assert redeemed == set(rows), f"redeemed, and nobody was told: {set(rows) - redeemed}"
    assert len(done(told, REDEMPTIONS)) == len(rows), "two keys, one redemption"
    recorded = {row.id: row for row in every(app, Order)}
    asked = done(told, ORDERS)
    assert {one.final["id"] for one in asked} == set(recorded)
    for one in asked:
        row = recorded[one.final["id"]]
        assert one.final["transaction"] == row.transaction_id
        assert one.final["points_earned"] == row.points_earned
        assert one.final["member"] == row.member_id
    written = {row.id for row in every(app, Transaction)}
    for one in (*asked, *done(told, ADJUSTMENTS), *done(told, REDEMPTIONS)):
        assert one.final["transaction"] in written, one


def assert_points(app: Flask, rows: dict[str, Redemption], told: list[Told]) -> None:
    """What members have is what callers were told, added up."""
    available: Counter[str] = Counter()
    pending: Counter[str] = Counter()
    for one in done(told, ADJUSTMENTS):
        available[one.final["member"]] += one.final["points"]
    for one in done(told, ORDERS):
        pending[one.final["member"]] += one.final["points_earned"]
    for row in rows.values():
        available[row.member_id] -= row.points if row.status == ISSUED else 0
    for account in every(app, Account):
        member = account.member_id
        assert (account.available, account.pending) == (available[member], pending[member]), member


def done(told: list[Told], path: str) -> list[Told]:
    """The requests on a collection that were done."""
    return [one for one in told if one.path == path and one.done]


def every(app: Flask, table: Any) -> list[Any]:
    """All rows of a table."""
    with app.app_context():
        return db.read(lambda session: list(session.scalars(select(table))))
