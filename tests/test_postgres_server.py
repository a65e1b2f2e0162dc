"""The PostgreSQL that the other tests stand on: it starts, answers, dies and leaves nothing."""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from tests import postgres

ROOT = Path(__file__).parent.parent
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as nobody")


@pytest.fixture(autouse=True)
def no_given_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_POSTGRES_URL", raising=False)


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("TEST_POSTGRES_URL", raising=False)
        with postgres.running() as running:
            yield running


@pytest.fixture
def temp_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short temp folder of this test's own that every account can enter."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def ask(server: postgres.Server, question: str, database: str = "postgres") -> str:
    with psycopg.connect(server.dsn(database)) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return str(row[0])


def databases(server: postgres.Server) -> list[str]:
    names = ask(server, "select string_agg(datname, ' ') from pg_database where not datistemplate")
    return sorted(names.split())


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_the_server_is_postgresql_18(server: postgres.Server) -> None:
    assert ask(server, "select version()").startswith("PostgreSQL 18")


def test_sqlalchemy_takes_its_url(server: postgres.Server) -> None:
    engine = sqlalchemy.create_engine(server.url())
    with engine.connect() as connection:
        assert connection.scalar(sqlalchemy.text("show server_encoding")) == "UTF8"
    engine.dispose()


def test_a_database_is_created_and_dropped(server: postgres.Server) -> None:
    server.create_database("shop")
    assert ask(server, "select current_database()", "shop") == "shop"
    server.drop_database("shop")
    assert databases(server) == ["postgres"]


def test_a_database_in_use_is_dropped_all_the_same(server: postgres.Server) -> None:
    server.create_database("busy")
    with psycopg.connect(server.dsn("busy")):
        server.drop_database("busy")
    assert databases(server) == ["postgres"]


def test_dropping_what_does_not_exist_is_no_error(server: postgres.Server) -> None:
    server.drop_database("never_made")


def test_a_database_copies_its_template(server: postgres.Server) -> None:
    server.create_database("model")
    with psycopg.connect(server.dsn("model")) as connection:
        connection.execute("create table account as select 500 as points")
    server.create_database("copy", template="model")
    assert ask(server, "select points from account", "copy") == "500"
    server.drop_database("copy")
    server.drop_database("model")


def test_two_servers_at_once_share_nothing(server: postgres.Server) -> None:
    with postgres.running() as other:
        other.create_database("only_here")
        assert "only_here" in databases(other)
        assert "only_here" not in databases(server)


def test_stopping_removes_the_folder_and_the_process() -> None:
    server = postgres.start()
    directory, process = server.directory, server.process
    assert directory is not None and directory.exists()
    assert process is not None and is_alive(process.pid)
    postgres.stop(server)
    assert not directory.exists()
    assert not is_alive(process.pid)
    postgres.stop(server)


def test_a_killed_server_takes_its_children_along_and_keeps_what_was_committed() -> None:
    with postgres.running(durable=True) as server:
        assert ask(server, "show fsync") == "on"
        with psycopg.connect(server.dsn()) as connection:
            connection.execute("create table account as select 500 as points")
        with psycopg.connect(server.dsn()) as witness:
            backend = witness.info.backend_pid
            server.kill()
            assert not is_alive(backend)
            with pytest.raises(psycopg.OperationalError):
                witness.execute("select 1")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.dsn())
        server.restart()
        assert ask(server, "select points from account") == "500"


def test_a_killed_server_leaves_no_shared_memory() -> None:
    server = postgres.start()
    process = server.process
    assert process is not None
    assert segments_of(process.pid) == 1
    server.kill()
    postgres.stop(server)
    assert segments_of(process.pid) == 0


def segments_of(pid: int) -> int:
    """How many System V segments a process created, living or not."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return sum(int(line.split()[4]) == pid for line in lines)


def test_a_server_dies_with_its_parent() -> None:
    program = "from tests import postgres; s = postgres.start(); print(s.process.pid, s.directory)"
    parent = subprocess.Popen(
        [sys.executable, "-c", f"{program}; print(flush=True); input()"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        pid, directory = parent.stdout.readline().split()
        server = os.pidfd_open(int(pid))
        parent.send_signal(signal.SIGKILL)
        assert ends(server), "the server outlived its parent"
    assert not (Path(directory) / "data" / "postmaster.pid").exists()
    shutil.rmtree(directory)


def ends(handle: int) -> bool:
    """Wait up to ten seconds for the end of a process; one that stays is ended here."""
    end = select.poll()
    end.register(handle, select.POLLIN)
    ended = bool(end.poll(10_000))
    if not ended:
        signal.pidfd_send_signal(handle, signal.SIGINT)
    os.close(handle)
    return ended


def test_a_server_lives_under_the_temp_folder(temp_folder: Path) -> None:
    with postgres.running() as server:
        assert list(temp_folder.iterdir()) == [server.directory]
    assert list(temp_folder.iterdir()) == []


def test_a_long_temp_folder_gives_way_to_a_short_one(
    temp_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = temp_folder / ("long" * 25)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with postgres.running() as server:
        assert server.directory is not None
        assert server.directory.parent == Path("/tmp")
        assert list(long.iterdir()) == []


@as_root
def test_binaries_that_nobody_may_not_read_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = postgres.installation()
    for name in (postgres.PACKAGE, f"{postgres.PACKAGE}.libs"):
        (tmp_path / name).symlink_to(site / name)
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(tmp_path)
    with postgres.running() as server:
        assert server.directory is not None
        assert server.command[0].startswith(str(server.directory))
        assert ask(server, "select 1") == "1"


def test_a_server_that_cannot_start_shows_its_log_and_leaves_nothing(
    temp_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres.OPTIONS, "max_connections", "none")
    with pytest.raises(postgres.ServerFailed, match='invalid value for parameter "max_conn'):
        postgres.start()
    assert list(temp_folder.iterdir()) == []


def test_a_missing_package_is_named_and_leaves_nothing(
    temp_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PACKAGE", "no_such_package")
    with pytest.raises(postgres.ServerFailed, match="no_such_package is not installed"):
        postgres.start()
    assert list(temp_folder.iterdir()) == []


def test_a_given_server_is_used_and_left_alone(
    server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_url = server.url().replace("postgresql+psycopg", "postgresql")
    monkeypatch.setenv("TEST_POSTGRES_URL", given_url)
    given = postgres.start()
    assert given.url("shop") == server.url("shop")
    given.create_database("guest")
    given.drop_database("guest")
    for verb in (given.kill, given.restart):
        with pytest.raises(postgres.NotOurServer, match="started elsewhere"):
            verb()
    postgres.stop(given)
    assert ask(server, "select 1") == "1"
