"""A loyalty and rewards service: points in a ledger that can prove itself, rewards, discounts."""

from threading import BoundedSemaphore

from flask import Flask

from loyalty_service import api, logs
from loyalty_service.config import Config
from loyalty_service.db import database, prepare
from loyalty_service.fulfilment import issuers_for
from loyalty_service.migrating import migrate


def create_app(config: Config) -> Flask:
    """The service, assembled: the table of contents."""
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(
        LOYALTY=config,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(config),
        MAX_CONTENT_LENGTH=config.body_limit_bytes,
    )
    logs.configure(config.log_level)
    database.init_app(app)
    with app.app_context():
        prepare(database.engine)
    migrate.init_app(app, database)
    app.extensions["code_issuers"] = issuers_for(config)
    app.extensions["stripe_slots"] = BoundedSemaphore(config.stripe_calls_at_once)
    app.extensions["waiting_slots"] = BoundedSemaphore(config.stripe_calls_at_once)
    api.register(app)
    return app


def _engine_options(config: Config) -> dict[str, object]:
    options: dict[str, object] = {
        "execution_options": {"clock_travels": not config.is_production},
        # What a statement carries is personal; an error's text would bring it into the log.
        "hide_parameters": True,
    }
    if not config.is_sqlite:
        options["pool_size"] = config.database_pool_size
        options["max_overflow"] = 0
        options["pool_timeout"] = 10
        # Nobody waits for ever behind a stuck transaction: the answer is 503, and a retry.
        timeouts = "-c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"
        # Moments come back in the connection's zone: in any other than UTC, adding to one or
        # comparing two goes by the clock on the wall.
        options["connect_args"] = {
            "options": f"{timeouts} -c timezone=UTC",
            # A host that vanished must not hold a thread for minutes.
            "connect_timeout": 5,
        }
    return options
