import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from loyalty_service.sandbox import NotInProduction, serve
from loyalty_service.sandbox.__main__ import main

from .conftest import SECONDS, Caller

FIVE = {"id": "five", "percent_off": 5}


@pytest.mark.parametrize("account_key", [None, "nonsense", "sk_live_very_secret"])
def test_only_a_test_key_opens_the_account(stripe: Caller, account_key: str | None) -> None:
    refused = stripe("POST", "/v1/coupons", FIVE, account_key=account_key)
    assert refused.status_code == 401
    assert refused.json()["error"]["type"] == "invalid_request_error"
    assert "secret" not in refused.text
    assert stripe.control("GET", "state")["coupons"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/products"), ("DELETE", "/v1/coupons/five"), ("GET", "/"), ("GET", "/v1/../x")],
)
def test_what_it_does_not_know_is_404(stripe: Caller, method: str, path: str) -> None:
    refused = stripe(method, path)
    assert refused.status_code == 404
    assert refused.json()["error"]["message"].startswith("Unrecognized request URL")


def test_calls_are_listed_in_order_with_key_and_status(stripe: Caller) -> None:
    stripe("POST", "/v1/coupons", FIVE, key="k")
    stripe("GET", "/v1/coupons/six")
    assert stripe.control("GET", "calls")["calls"] == [
        {"method": "POST", "path": "/v1/coupons", "idempotency_key": "k", "status": 200},
        {"method": "GET", "path": "/v1/coupons/six", "idempotency_key": None, "status": 404},
    ]


def test_a_fault_strikes_what_it_fits_as_often_as_ordered(stripe: Caller) -> None:
    fault = {"kind": "conflict_409", "times": 2, "path": "/v1/coupons*", "method": "GET"}
    stripe.control("POST", "faults", fault)
    assert stripe("POST", "/v1/coupons", FIVE).status_code == 200
    statuses = [stripe("GET", "/v1/coupons/five").status_code for _ in range(3)]
    assert statuses == [409, 409, 200]


def test_ordered_faults_can_be_cancelled(stripe: Caller) -> None:
    stripe.control("POST", "faults", {"kind": "conflict_409", "times": 9})
    stripe.control("DELETE", "faults")
    assert stripe("POST", "/v1/coupons", FIVE).status_code == 200


@pytest.mark.parametrize("body", [{"kind": "earthquake"}, {"kinds": "slow"}, {}])
def test_an_unknown_fault_is_refused(stripe: Caller, body: dict[str, str]) -> None:
    assert "error" in stripe.control("POST", "faults", body)


def test_objects_and_keys_survive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "stripe.sqlite"
    with serve(state_path=file) as server:
        before = Caller(server)
        made = before("POST", "/v1/coupons", FIVE, key="k").json()
        code = before.code(**{"promotion[coupon]": "five", "code": "THANKS"}).json()
        before.control("POST", "clock", {"advance_seconds": 3600})
        before.session.close()
    with serve(state_path=file) as server:
        after = Caller(server)
        replayed = after("POST", "/v1/coupons", FIVE, key="k")
        assert (replayed.json(), replayed.headers["Idempotent-Replayed"]) == (made, "true")
        listed = after("GET", "/v1/promotion_codes", {"code": "thanks"}).json()
        assert listed["data"] == [code]
        now = after.control("POST", "clock", {"advance_seconds": 0})["now"]
        assert now >= made["created"] + 3600
        after.session.close()


def test_it_does_not_start_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_ENV", "production")
    with pytest.raises(NotInProduction):
        serve()
    assert main(["--port", "0"]) == 2


def test_it_listens_on_the_loopback_address_only(stripe: Caller) -> None:
    assert stripe.server.url == f"http://127.0.0.1:{stripe.server.port}"


def test_closing_ends_a_held_call(stripe: Caller) -> None:
    stripe.control("POST", "faults", {"kind": "hold_before"})
    with pytest.raises(requests.Timeout):
        stripe.session.get(
            f"{stripe.server.url}/v1/coupons/five",
            headers={"Authorization": "Bearer sk_test_x"},
            timeout=0.2,
        )
    stripe.server.close()
    with pytest.raises(requests.ConnectionError):
        stripe("GET", "/v1/coupons/five")


def test_closing_ends_kept_connections_too(stripe: Caller) -> None:
    assert stripe.control("GET", "held") == {"held": 0}
    stripe.server.close()
    with pytest.raises(requests.ConnectionError):
        stripe.control("GET", "held")


@pytest.mark.slow
def test_the_program_says_where_it_is_and_stops_when_asked(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "loyalty_service.sandbox", "--port", "0", "--json"]
    environment = {**os.environ, "LOYALTY_ENV": "sandbox"}
    process = subprocess.Popen(
        [*command, "--state", str(tmp_path / "state")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        # A kept connection must not keep it from stopping.
        with requests.Session() as session:
            assert session.get(f"{url}/_sandbox/held", timeout=SECONDS).json() == {"held": 0}
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=SECONDS) == (b"", b"")
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
