"""A migrated SQLite file and a migrated PostgreSQL database a worker, emptied before each test."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
from flask import Flask

from loyalty_service import create_app, migrating
from loyalty_service.config import Config
from loyalty_service.db import Base, database
from tests import postgres
from tests.api.declared import Declared
from tests.shop import Shop

KINDS = ("sqlite", "postgresql")
# A folder in memory, where there is one: thousands of small databases need no disk.
MEMORY = Path("/dev/shm")


@dataclass
class Databases:
    """Both databases of one test process; each app is made once."""

    folder: Path
    server: postgres.Server
    name: str
    stripe_api_base: str
    apps: dict[str, Flask] = field(default_factory=dict)
    declared: dict[str, Declared] = field(default_factory=dict)
    opened: Shop | None = None

    def app(self, kind: str) -> Flask:
        """The app on an empty, migrated database."""
        if kind not in self.apps:
            self.apps[kind] = self._make(kind)
        app = self.apps[kind]
        self._empty(kind, app)
        return app

    def shop(self, kind: str) -> Shop:
        """A shop under the default program, in the database that `app` has emptied.

        On SQLite it is a copy of one that was opened before, where nothing was written yet.
        """
        app = self.apps[kind]
        if kind == "postgresql" or self._file("test.db-wal").exists():
            return Shop.open(app)
        if self.opened is None:
            self.opened = Shop.open(app)
            with app.app_context():
                database.engine.dispose()
            shutil.copy(self._file("test.db"), self._file("opened.db"))
        shutil.copy(self._file("opened.db"), self._file("test.db"))
        return replace(self.opened, keys=dict(self.opened.keys))

    def config(self, kind: str) -> Config:
        return Config(
            database_url=self.url(kind),
            stripe_api_key="sk_test_of_the_tests",
            stripe_api_base=self.stripe_api_base,
            stripe_webhook_secret="whsec_of_the_tests",
            log_level="error",
            database_pool_size=70,
        )

    def url(self, kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{self._file('test.db')}"
        return self.server.url(self.name)

    def _make(self, kind: str) -> Flask:
        if kind == "postgresql":
            self.server.drop_database(self.name)
            self.server.create_database(self.name)
        app = create_app(self.config(kind))
        self.declared[kind] = Declared(app)
        with app.app_context():
            migrating.upgrade()
            database.engine.dispose()
        if kind == "sqlite":
            shutil.copy(self._file("test.db"), self._file("template.db"))
        return app

    def _empty(self, kind: str, app: Flask) -> None:
        if kind == "postgresql":
            empty_postgresql(self.server.dsn(self.name))
            return
        with app.app_context():
            database.engine.dispose()
        for old in self.folder.glob("test.db*"):
            old.unlink()
        shutil.copy(self._file("template.db"), self._file("test.db"))

    def _file(self, name: str) -> Path:
        return self.folder / name

    def close(self) -> None:
        for app in self.apps.values():
            with app.app_context():
                database.engine.dispose()
        if "postgresql" in self.apps:
            self.server.drop_database(self.name)


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder for the files of one test process."""
    base = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="loyalty-tests-", dir=base) as folder:
        yield Path(folder)


def empty_postgresql(dsn: str) -> None:
    """Empty every table. The triggers that refuse DELETE are off for this superuser alone.

    A test leaves few rows: to delete them takes less than half the time of TRUNCATE, which makes
    a new file for each table and each index.
    """
    deletes = "; ".join(f"DELETE FROM {table}" for table in Base.metadata.tables)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(deletes.encode())
