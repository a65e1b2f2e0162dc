"""`loyalty demo`: a shop with customers, the service, its worker and a Stripe sandbox, at once."""

import fcntl
import json
import os
import signal
import socket
import subprocess  # nosec B404
from pathlib import Path
from threading import Event
from typing import IO, Any

import click

from loyalty_service import create_app, db, migrating
from loyalty_service.cli.context import DEMO_FILE, fail
from loyalty_service.config import from_environment
from loyalty_service.demo import history, processes
from loyalty_service.domain import program

NOT_BUILT_YET = {"console": None, "shop": None}
KEYS_TOLD = ("checkout", "staff", "manager", "admin")
# What the sandbox signs with and the service checks; both are on this machine only.
WEBHOOK_SECRET = "whsec_everybody_knows_the_secret_of_a_demo"  # nosec B105


@click.command()
@click.option("--port", default=8080, show_default=True, help="Where the service listens.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(".demo"),
    show_default=True,
    help="Where the demo keeps its files; a second start goes on with them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line when ready.")
def demo(port: int, folder: Path, as_json: bool) -> None:
    """Run a whole shop on this machine, with 18 months of history, until you stop it."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _forget_own_settings()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    _require_free_port(port)
    lock = _require_own_folder(folder)
    started: list[subprocess.Popen[bytes]] = []
    try:
        facts = _start(folder, port, as_json, started)
        click.echo(json.dumps(facts) if as_json else _welcome(facts, folder))
        while not stop.wait(0.5):
            if any(process.poll() is not None for process in started):
                fail(f"a process of the demo ended: see the logs in {folder}")
    except processes.DemoFailed as error:
        fail(str(error))
    finally:
        processes.stop(started)
        lock.close()


def _start(
    folder: Path, port: int, quiet: bool, started: list[subprocess.Popen[bytes]]
) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}"
    webhook_url = f"{url}/webhooks/stripe"
    sandbox, sandbox_url = processes.start_sandbox(folder, webhook_url, WEBHOOK_SECRET)
    started.append(sandbox)
    environment = {
        "LOYALTY_ENV": "sandbox",
        "LOYALTY_DATABASE_URL": f"sqlite:///{folder / 'loyalty.db'}",
        "LOYALTY_STRIPE_API_BASE": sandbox_url,
        "LOYALTY_STRIPE_API_KEY": "sk_test_sandbox",
        "LOYALTY_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "LOYALTY_WORKER_IN_PROCESS": "true",
        "LOYALTY_CHECKPOINT_KEY": "a-demo-signs-with-a-key-that-everybody-knows",
        "LOYALTY_SIGNING_KEY": "a-demo-signs-discounts-with-one-that-everybody-knows",
        "LOYALTY_LOG_LEVEL": "info",
    }
    program_id = _prepare(environment, quiet)
    service = processes.start_service(folder, environment, port)
    started.append(service)
    processes.wait_until_ready(url, service, folder / "service.log")
    keys = {name: history.demo_token(program_id, name) for name in KEYS_TOLD}
    facts = {"url": url, "keys": keys, **NOT_BUILT_YET, "sandbox": sandbox_url}
    (folder / DEMO_FILE).write_text(json.dumps({**facts, "environment": environment}, indent=2))
    return facts


def _prepare(environment: dict[str, str], quiet: bool) -> str:
    """The schema and, in a new folder, the shop's history; returns the program's id."""
    app = create_app(from_environment({**environment, "LOYALTY_LOG_LEVEL": "error"}))
    with app.app_context():
        migrating.upgrade()
        there = db.read(program.program_ids)
        # Other programs may have been applied since: the demo's keys belong to its own.
        made = history.PROGRAM_ID if there else _write_history(quiet)
        db.database.engine.dispose()
        return made


def _require_free_port(port: int) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        fail(f"port {port} is taken: choose another with --port (make demo PORT=…)")


def _require_own_folder(folder: Path) -> IO[str]:
    """Two demos on one database would fight over it; the lock ends with the process."""
    lock = (folder / "demo.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        fail(f"a demo runs in {folder} already: choose another folder with --dir (DIR=…)")
    return lock


def _write_history(quiet: bool) -> str:
    if quiet:
        return history.write(lambda done, total: None)
    with click.progressbar(length=1, label="A shop with 18 months of history", file=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        return history.write(progress)


def _forget_own_settings() -> None:
    # The demo is complete in itself: a LOYALTY_… variable of the shell must not leak into it.
    for name in [name for name in os.environ if name.startswith("LOYALTY_")]:
        del os.environ[name]


def _welcome(facts: dict[str, Any], folder: Path) -> str:
    url, keys = facts["url"], facts["keys"]
    return f"""
The shop is open. Press Ctrl-C to close it; its files are in {folder}.

  API             {url}
  Stripe sandbox  {facts["sandbox"]}
  checkout key    {keys["checkout"]}
  staff key       {keys["staff"]}
  manager key     {keys["manager"]}
  admin key       {keys["admin"]}

Try it, in another terminal:

  curl -s {url}/v1/members/ext:customer-001 -H 'Authorization: Bearer {keys["checkout"]}'

  curl -s {url}/v1/members/ext:customer-001/transactions \\
    -H 'Authorization: Bearer {keys["checkout"]}'

  curl -s {url}/v1/redemptions -H 'Authorization: Bearer {keys["checkout"]}' \\
    -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +%s%N)" \\
    -d '{{"member": "ext:customer-001", "reward": "money_off"}}'
"""
