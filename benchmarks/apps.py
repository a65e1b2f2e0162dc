"""The programs that gunicorn serves in a benchmark: ours, and two that do next to nothing.

Every one is made from two environment variables: BENCHMARK_DATABASE_URL, and for the service with
a real issuer BENCHMARK_STRIPE_BASE, the address of the local Stripe sandbox.
"""

import os
from typing import Any

from flask import Flask, request
from sqlalchemy import create_engine, text

from loyalty_service import create_app
from loyalty_service.config import Config
from loyalty_service.fulfilment import SANDBOX_KEY
from loyalty_service.gateways.codes import CodeIssuer, CodeRequest, IssuedCode
from loyalty_service.gateways.stripe import StripeCodes

DATABASE_URL = "BENCHMARK_DATABASE_URL"
STRIPE_BASE = "BENCHMARK_STRIPE_BASE"

# One INSERT and one UPDATE, in one statement and one commit: the least that keeps a trace.
LEAST = """
    WITH entry AS (
        INSERT INTO bare_entries (account_id, points) VALUES (:account, :points)
        RETURNING account_id, points
    )
    UPDATE bare_accounts SET points = bare_accounts.points + entry.points
    FROM entry WHERE bare_accounts.id = entry.account_id
    RETURNING bare_accounts.points
"""


class InstantCodes:
    """An issuer that answers at once: what is left is the database's part of a redemption."""

    def issue(self, request: CodeRequest, *, timeout_seconds: float) -> IssuedCode:
        """The code, as if it had been made."""
        return IssuedCode(f"promo_{request.code}", request.coupon_id, request.code, 0, True)

    def find(
        self, *, program_id: str, redemption_id: str, code: str, timeout_seconds: float
    ) -> IssuedCode | None:
        """Never needed: nothing stays unclear."""
        return None

    def withdraw(self, promotion_code_id: str, *, timeout_seconds: float) -> IssuedCode:
        """Never needed: nothing is cancelled. Raises NotImplementedError."""
        raise NotImplementedError


def config(database_url: str) -> Config:
    """Production settings: no clock is read, everything else is the default."""
    return Config(database_url, env="production", stripe_api_key=SANDBOX_KEY)


def service() -> Flask:
    """The service; its codes are made by the Stripe sandbox, over HTTP."""
    # Production refuses an address without TLS: only the issuer is handed the sandbox's.
    return _service(StripeCodes(SANDBOX_KEY, os.environ[STRIPE_BASE]))


def service_without_stripe() -> Flask:
    """The service with the call to Stripe set aside."""
    return _service(InstantCodes())


def bare() -> Flask:
    """A handler that reads JSON, executes and commits the least, and answers JSON."""
    app = Flask("bare")
    settings = config(os.environ[DATABASE_URL])
    engine = create_engine(
        settings.database_url, pool_size=settings.database_pool_size, max_overflow=0
    )
    statement = text(LEAST)

    @app.post("/")
    def write() -> dict[str, Any]:
        with engine.begin() as connection:
            return {"points": connection.execute(statement, request.get_json()).scalar_one()}

    return app


def hello() -> Flask:
    """A handler that answers a line of text."""
    app = Flask("hello")

    @app.get("/")
    def greet() -> str:
        return "Hello, world!\n"

    return app


def _service(issuer: CodeIssuer) -> Flask:
    app = create_app(config(os.environ[DATABASE_URL]))
    app.extensions["code_issuers"] = lambda _name: issuer
    return app
