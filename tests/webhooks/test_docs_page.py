"""What docs/webhooks.md says is what is sent, and its receiver receives."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from loyalty_service.clock import wall
from loyalty_service.domain.notices import types
from loyalty_service.domain.webhooks import deliveries, endpoints, signing
from loyalty_service.domain.webhooks import log as history

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, RECEIVER = (DOCS / "webhooks.md").read_text(), DOCS / "receiver.py"
SECRET = signing.secret("k" * 32, "default", "whe_1", 1)
WORDS = {"second": "seconds", "minute": "minutes", "hour": "hours"}


def test_the_table_of_types_is_the_catalogue() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [
        (one.name, one.says, ", ".join(f"`{name}`" for name in one.data["properties"]))
        for one in types.catalogue().values()
    ]


def test_the_table_of_tries_is_the_schedule() -> None:
    rows = re.findall(r"^\| (\d+) \| (\d+) (second|minute|hour)s \|$", PAGE, re.MULTILINE)
    waits = [timedelta(**{WORDS[unit]: int(count)}) for _, count, unit in rows]
    assert [int(wait.total_seconds()) for wait in waits] == list(deliveries.WAITS_SECONDS)
    assert int(rows[-1][0]) == deliveries.TRIES_MAX


def test_the_figures_of_the_page_are_those_of_the_code() -> None:
    words = " ".join(PAGE.split())
    for said in (
        f"at most {endpoints.ENDPOINTS_MAX} endpoints",
        f"For {endpoints.OVERLAP_HOURS} hours (`overlap_hours`)",
        f"silence for {deliveries.FAILING_DAYS} days over at least {deliveries.FAILURES_MIN} tries",
        f"The log is kept for {history.KEPT_DAYS} days",
        f"`{deliveries.GONE_STATUS}` switches the endpoint off",
    ):
        assert said in words


def test_the_event_of_the_page_is_the_example() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert json.loads(shown) == types.example(types.catalogue()["points.earned"])


def test_the_receiver_of_the_page_takes_what_is_signed_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOYALTY_WEBHOOK_SECRET", SECRET)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code == RECEIVER.read_text()
    names: dict[str, Any] = {"__name__": "receiver"}
    exec(code, names)
    client = names["app"].test_client()
    body = json.dumps(types.example(types.catalogue()["tier.changed"])).encode()
    headers = signing.headers("ntc_1", wall(), body, [SECRET])

    def sent(data: bytes, more: dict[str, str]) -> int:
        return int(client.post("/hooks/loyalty", data=data, headers=more).status_code)

    assert [sent(body, headers), sent(body, headers)] == [204, 204]
    assert capsys.readouterr().out.count("tier.changed") == 1
    assert sent(body + b" ", headers) == 400
    assert sent(body, {**headers, "webhook-signature": "v1,nonsense"}) == 400
    late = signing.headers("ntc_1", wall() - timedelta(minutes=6), body, [SECRET])
    assert sent(body, late) == 400
    assert sent(body, {}) == 400
