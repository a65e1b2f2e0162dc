"""What the database itself refuses of a thank-you's row."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from loyalty_service import db
from tests.domain.discounts.offers import BY_HAND, with_only
from tests.shop import Shop


@pytest.mark.parametrize(
    "change",
    [
        "status = 'used'",
        "status = 'withheld', code = NULL",
        "status = 'withheld', failure = 'budget_exceeded'",
        "reason = NULL",
        "trigger = 'birthday'",
    ],
)
def test_a_row_that_contradicts_itself_is_refused(app: Flask, change: str) -> None:
    shop = Shop.open(app, with_only(BY_HAND))
    shop.thank(shop.a_member(), "tea")
    with app.app_context(), pytest.raises(IntegrityError):
        db.transaction(lambda session: session.execute(text(f"UPDATE discounts SET {change}")))
