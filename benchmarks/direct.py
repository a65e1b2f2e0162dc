"""The least that writes, straight from psycopg: what is left without HTTP, Flask and SQLAlchemy.

As many processes and threads as gunicorn has, each thread with a connection of its own.
"""

import multiprocessing
import random
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import psycopg

from benchmarks import apps
from benchmarks.load import Sample
from benchmarks.servers import PROCESSES

STATEMENT = apps.LEAST.replace(":account", "%s").replace(":points", "%s")
# Long enough for a process to begin and to connect.
HEAD_START_NS = 4_000_000_000
TIMEOUT_SECONDS = 60


def run(dsn: str, accounts: int, *, clients: int, seconds: float, at_most: int) -> Sample:
    """The statement, executed and committed by `clients` connections at once."""
    processes = min(clients, PROCESSES)
    begin_ns = time.monotonic_ns() + HEAD_START_NS
    share = (dsn, accounts, clients // processes, begin_ns, seconds, at_most // clients)
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=fresh) as pool:
        under_way = [pool.submit(_work, *share) for _ in range(processes)]
        done = [one.result(timeout=TIMEOUT_SECONDS) for one in under_way]
    latencies = [latency for latencies, _ in done for latency in latencies]
    assert latencies, "the processes were not ready in time: give them a longer head start"
    return Sample(latencies, max(ended for _, ended in done) - begin_ns, 0.0)


def _work(
    dsn: str, accounts: int, threads: int, begin_ns: int, seconds: float, at_most: int
) -> tuple[list[int], int]:
    latencies: list[list[int]] = [[] for _ in range(threads)]
    end_ns = begin_ns + int(seconds * 1e9)

    def call(mine: list[int]) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            # Prepared at the fifth time.
            for _ in range(6):
                connection.execute(STATEMENT, (1, 1))
            time.sleep(max(0, begin_ns - time.monotonic_ns()) / 1e9)
            while (now := time.monotonic_ns()) < end_ns and len(mine) < at_most:
                connection.execute(STATEMENT, (random.randint(1, accounts), 50))
                mine.append(time.monotonic_ns() - now)

    callers = [threading.Thread(target=call, args=(mine,)) for mine in latencies]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return [one for mine in latencies for one in mine], time.monotonic_ns()
