"""A database to measure on: migrated, with keys, members and as much history as is asked for."""

from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy.orm import Session

from benchmarks import apps
from benchmarks.messages import People
from loyalty_service import create_app, db, migrating, shipped
from loyalty_service.domain import access, program
from tests.postgres import Server

HISTORY = (Path(__file__).parent / "history.sql").read_text()
READ_MEMBERS, ROUNDS = 100, 4
TRANSACTIONS_A_MEMBER = 1 + 10 * ROUNDS
NEW_MEMBERS = 1000


@dataclass(frozen=True, slots=True)
class Ledger:
    """A database that is ready: its address for the programs and for psycopg, and its people."""

    name: str
    url: str
    dsn: str
    people: People
    transactions: int


def empty(server: Server) -> Ledger:
    """1,000 members with one credit to spend, and 100 to be read who have a page of history."""
    return _make(server, "empty", written=NEW_MEMBERS, rounds=0)


def full(server: Server, transactions: int) -> Ledger:
    """About that many transactions: 41 for each member."""
    written = max(1, transactions // TRANSACTIONS_A_MEMBER - READ_MEMBERS)
    return _make(server, "full", written=written, rounds=ROUNDS)


def _make(server: Server, name: str, *, written: int, rounds: int) -> Ledger:
    server.create_database(name)
    checkout, staff = _open_shop(server.url(name))
    with psycopg.connect(server.dsn(name)) as connection:
        durable = connection.execute("SHOW fsync").fetchone()
        assert durable == ("on",), "a server that does not write to the disk proves nothing"
        _add(connection, "w", written, rounds)
        _add(connection, "r", READ_MEMBERS, ROUNDS)
        counted = connection.execute("SELECT count(*) FROM transactions").fetchone()
        assert counted is not None
        _add_bare(connection, written, counted[0])
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    people = People(_names("w", written), _names("r", READ_MEMBERS), checkout, staff)
    return Ledger(name, server.url(name), server.dsn(name), people, counted[0])


def _open_shop(url: str) -> tuple[str, str]:
    """Migrate, apply the default program, and make a checkout's key and one of staff."""
    app = create_app(apps.config(url))

    def work(session: Session) -> tuple[str, str]:
        document = (shipped.folder("programs") / "default.yaml").read_text()
        applied, _ = program.apply(session, document)
        checkout = access.create_client(
            session, applied.rules.id, name="checkout", scope="checkout"
        )
        # A role without a monthly limit: a limit's counter is a row that colleagues share.
        staff = access.create_client(
            session, applied.rules.id, name="staff", scope="staff", person="ada", role="admin"
        )
        return checkout.token, staff.token

    with app.app_context():
        migrating.upgrade()
        made = db.transaction(work)
        db.database.engine.dispose()
    return made


def _add(connection: psycopg.Connection, kind: str, members: int, rounds: int) -> None:
    wanted = {"kind": kind, "members": members, "rounds": rounds}
    # Bound here and not by the server, which takes one statement at a time.
    psycopg.ClientCursor(connection).execute(HISTORY, wanted)
    connection.commit()


def _add_bare(connection: psycopg.Connection, accounts: int, entries: int) -> None:
    connection.execute(
        "CREATE TABLE bare_accounts (id integer PRIMARY KEY, points bigint NOT NULL)"
    )
    connection.execute(
        "CREATE TABLE bare_entries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " account_id integer NOT NULL, points bigint NOT NULL)"
    )
    connection.execute(
        "INSERT INTO bare_accounts SELECT n, 0 FROM generate_series(1, %s) AS n", [accounts]
    )
    connection.execute(
        "INSERT INTO bare_entries (account_id, points)"
        " SELECT 1 + n %% %s, 50 FROM generate_series(1, %s) AS n",
        [accounts, entries],
    )


def _names(kind: str, members: int) -> list[str]:
    return [f"mem_{kind}{number:08}" for number in range(1, members + 1)]
