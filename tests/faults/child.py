"""A service with its worker in a process of its own, which the tests kill.

It reads one JSON object from its arguments, prints one line for each answer, and then works on
until it is killed; with `"until_idle": true` it ends when no promise is open.
"""

import json
import os
import sys
import threading
from datetime import timedelta
from typing import Any

from flask import Flask

from loyalty_service import clock, create_app, db, worker
from loyalty_service.config import Config
from loyalty_service.domain import jobs

ROUNDS_MAX = 100


def main(order: dict[str, Any]) -> None:
    app = create_app(Config(**order["config"]))
    if order["until_idle"]:
        work_off(app, order["program"])
    else:
        worker.start_thread(app)
    for call in order["calls"]:
        threading.Thread(target=answer, args=(app, call)).start()
    if not order["until_idle"]:
        # A test run that ends badly closes this pipe: nothing stays behind.
        sys.stdin.read()
        os._exit(0)


def answer(app: Flask, call: dict[str, Any]) -> None:
    """Make one call and say how it ended."""
    made = app.test_client().post(call["path"], json=call["body"], headers=call["headers"])
    sys.stdout.write(json.dumps({"status": made.status_code, "json": made.json}) + "\n")
    sys.stdout.flush()


def work_off(app: Flask, program_id: str) -> None:
    """Work by a machine's time at which every lease has ended, until nothing is open."""
    pause = threading.Event()
    for _ in range(ROUNDS_MAX):
        with app.app_context():
            worker.run_once(at=clock.wall() + timedelta(days=2))
            open_jobs = db.read(
                lambda session: jobs.listed(session, [program_id], (jobs.DUE, jobs.DEAD))
            )
        if not open_jobs:
            return
        pause.wait(0.1)
    raise SystemExit(str([job.last_error for job in open_jobs]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
