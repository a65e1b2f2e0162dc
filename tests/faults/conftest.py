"""Here each test has a Stripe sandbox of its own: an account in which nothing was ever made."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from loyalty_service.fulfilment import issuers_for
from loyalty_service.sandbox import Server, serve
from tests.stripe_control import StripeControl


@pytest.fixture
def sandbox(app: Flask) -> Iterator[Server]:
    before = app.extensions["code_issuers"]
    with serve() as server:
        config = replace(app.config["LOYALTY"], stripe_api_base=server.url)
        app.config["LOYALTY"] = config
        app.extensions["code_issuers"] = issuers_for(config)
        yield server
        app.extensions["code_issuers"](None).close()
    app.extensions["code_issuers"] = before


@pytest.fixture
def stripe(sandbox: Server) -> Iterator[StripeControl]:
    control = StripeControl(sandbox.url)
    yield control
    control.clear()
