"""Fixtures: both databases, the Stripe sandbox, a shop with keys; books verified each time."""

import gc
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import settings

from loyalty_service import clock, create_app, db, logs
from loyalty_service.cli import context
from loyalty_service.config import Config
from loyalty_service.domain import audit, program
from loyalty_service.sandbox import server as stripe_sandbox
from tests import postgres
from tests.databases import KINDS, Databases, a_folder
from tests.machines.seeds import TOLD
from tests.shop import Shop
from tests.stripe_control import StripeControl

# Whole lives of a ledger, a shop or a program. `make quick` does not even read these folders.
HERE = Path(__file__).parent
WHOLE_LIVES = ("faults", "machines", "programs", "journeys")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="SQLite only, and nothing slow.")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_quick = config.getoption("--quick") and collection_path.parent == HERE
    return True if is_quick and collection_path.name in WHOLE_LIVES else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--quick"):
        return
    config.hook.pytest_deselected(items=[item for item in items if is_slow(item)])
    items[:] = [item for item in items if not is_slow(item)]


def pytest_collection_finish() -> None:
    # Modules and tests live to the end: the collector need not walk them again and again.
    gc.collect()
    gc.freeze()


def is_slow(item: pytest.Item) -> bool:
    """Marked so, or on PostgreSQL: left out of `make quick`, as `WHOLE_LIVES` are.

    `quick` asks in seconds whether each rule holds by itself. Marked are races of many threads
    (which SQLite only queues), all calls of the contract in a row, facts in every order, what
    Stripe tells oddly, every field of a table in the documents, started processes and real waits.
    """
    params = (
        item.callspec.params
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        else {}
    )
    return (
        item.get_closest_marker("slow") is not None
        or params.get("kind") == "postgresql"
        or item.path.name == "test_postgres_server.py"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "tampered: this test breaks the books on purpose")
    config.addinivalue_line(
        "markers",
        "slow: works for 150 ms, or a second in all its cases, or waits; left out of `make quick`",
    )
    # A run makes little that is garbage in rings, and the default looks for it all the time.
    gc.set_threshold(50_000, 20, 20)
    # No deadline: on a busy machine every example is slow.
    settings.register_profile("quick", max_examples=5, deadline=None)
    settings.register_profile("whole", max_examples=1000, deadline=None)
    quick = config.getoption("--quick")
    settings.load_profile("quick" if quick else "whole")
    if not hasattr(config, "workerinput"):
        config.stash[SERVER] = postgres.at(NOT_STARTED) if quick else postgres.start()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    node.workerinput["postgres_url"] = node.config.stash[SERVER].url()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seeds and counts of what was drawn anew, of a success as well."""
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport) and report.when == "teardown":
            for name, words in report.user_properties:
                if name == TOLD:
                    terminalreporter.write_line(words)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVER in config.stash:
        postgres.stop(config.stash[SERVER])


SERVER = pytest.StashKey[postgres.Server]()
# Where a quick test that asks for PostgreSQL looks for it in vain.
NOT_STARTED = "postgresql:///?host=/not/started/by/quick"


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> postgres.Server:
    """The PostgreSQL of this test run."""
    handed_over = getattr(request.config, "workerinput", None)
    if handed_over:
        return postgres.at(handed_over["postgres_url"])
    return request.config.stash[SERVER]


@pytest.fixture(scope="session")
def stripe_server() -> Iterator[stripe_sandbox.Server]:
    """The Stripe sandbox of this test process."""
    with stripe_sandbox.serve() as server:
        yield server


@pytest.fixture(scope="session")
def databases(
    postgres_server: postgres.Server,
    stripe_server: stripe_sandbox.Server,
    worker_id: str,
) -> Iterator[Databases]:
    with a_folder() as folder:
        made = Databases(folder, postgres_server, f"loyalty_{worker_id}", stripe_server.url)
        yield made
        made.close()


@pytest.fixture(scope="session", autouse=True)
def commands_share_apps() -> Iterator[None]:
    """The app of `loyalty …` in this process is made once for each configuration.

    To make one takes longer than most commands.
    """
    kept: dict[Config, Flask] = {}

    def app_for(config: Config) -> Flask:
        if config not in kept:
            kept[config] = create_app(config)
        logs.configure(config.log_level)
        return kept[config]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(context, "create_app", app_for)
        yield


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on: each test runs on both."""
    return str(request.param)


@pytest.fixture
def app(request: pytest.FixtureRequest, databases: Databases, kind: str) -> Iterator[Flask]:
    """The service on an empty database; the books are verified afterwards."""
    made = databases.app(kind)
    made.config["LOYALTY"] = databases.config(kind)
    clock.set_offset(clock.wall() - clock.wall())
    with databases.declared[kind].watched():
        yield made
    if request.node.get_closest_marker("tampered") is None:
        assert differences(made) == []


@pytest.fixture
def shop(app: Flask, databases: Databases, kind: str) -> Shop:
    """A shop: the default program applied, a key for each kind of caller."""
    shop = databases.shop(kind)
    assert shop.app is app
    return shop


@pytest.fixture
def stripe(stripe_server: stripe_sandbox.Server) -> Iterator[StripeControl]:
    """The sandbox's controls, at the machine's time; faults are cleared afterwards."""
    control = StripeControl(stripe_server.url)
    control.set_clock()
    yield control
    control.clear()


def differences(app: Flask) -> list[audit.Difference]:
    """What `ledger verify` finds in all programs."""
    with app.app_context():
        return db.read(
            lambda session: [
                found
                for program_id in program.program_ids(session)
                for found in audit.verify(session, program_id)
            ]
        )
