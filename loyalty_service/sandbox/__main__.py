"""`python -m loyalty_service.sandbox --port N [--state FILE] [--json]`: runs until SIGTERM.

With `--webhook-url` it tells that address of every event, signed with `--webhook-secret`.
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from loyalty_service.sandbox import NotInProduction, serve
from loyalty_service.sandbox.messages import Refusal


def main(arguments: list[str] | None = None) -> int:
    """Run a sandbox until it is asked to stop; return the exit status."""
    options = _options(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = serve(options.port, options.state, webhook=_webhook(options))
    except (NotInProduction, OSError, Refusal) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with server:
        ready = json.dumps({"url": server.url}) if options.json else f"Stripe sandbox: {server.url}"
        sys.stdout.write(f"{ready}\n")
        sys.stdout.flush()
        stop.wait()
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loyalty_service.sandbox")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--state", type=Path, help="file that keeps objects over a restart")
    parser.add_argument("--webhook-url", help="is told of every event")
    parser.add_argument("--webhook-secret", default="", help="signs what is told: whsec_…")
    parser.add_argument("--json", action="store_true", help="print one JSON line when ready")
    options = parser.parse_args(arguments)
    if bool(options.webhook_url) != bool(options.webhook_secret):
        parser.error("--webhook-url and --webhook-secret go together")
    return options


def _webhook(options: argparse.Namespace) -> tuple[str, str] | None:
    return (options.webhook_url, options.webhook_secret) if options.webhook_url else None


if __name__ == "__main__":
    raise SystemExit(main())
