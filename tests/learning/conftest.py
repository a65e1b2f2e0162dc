"""A shop that Stripe tells of what happens."""

import pytest
from flask import Flask

from tests.stripe_control import StripeControl
from tests.test_listening import Told


@pytest.fixture
def told(app: Flask, stripe: StripeControl) -> Told:
    return Told(app, stripe)
