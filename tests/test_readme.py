"""The README word for word: `loyalty demo` in an empty folder, then every command as pasted."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent
LOYALTY = Path(sys.executable).parent / "loyalty"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("LOYALTY_")}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("demo")
    port = a_free_port()
    arguments = [LOYALTY, "demo", "--json", "--port", str(port), "--dir", str(folder)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, env=CLEAN, text=True)
    assert process.stdout is not None
    facts = json.loads(process.stdout.readline())
    yield {**facts, "dir": str(folder)}
    process.stdout.close()
    stops_cleanly_with_its_children(process, [facts["url"], facts["sandbox"]])


def test_the_readme_runs_as_pasted(demo: dict[str, Any], tmp_path: Path) -> None:
    script = "set -euo pipefail\n" + "\n".join(blocks())
    script = script.replace("http://127.0.0.1:8080", demo["url"])
    script = script.replace("DEMO=.demo", f"DEMO={demo['dir']}")
    script = script.replace(".venv/bin/", f"{LOYALTY.parent}/")
    script = script.replace("docs/receiver.py", str(ROOT / "docs" / "receiver.py"))
    script = script.replace("4242", str(a_free_port()))
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=CLEAN, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for promised in (
        '"points_earned": 120',
        '"available": 120',
        '"status": "issued"',
        '"object": "promotion_code"',
        '"status": "used"',
        '"changed": []',
        "redemption.used {",
        "points.taken_back {",
        '"held": 20',
        '"status": "captured"',
        '"status": "cancelled"',
        "Sorry that your parcel was late.",
        '"kind": "reversal"',
        '"offer": "sorry"',
        '"requested_role": "agent"',
        '"status": "approved"',
        '"decided_by": "mia.manager@shop.example"',
        "The books balance.",
    ):
        assert compact(promised) in compact(ran.stdout), promised


def test_a_demo_tells_its_keys_and_members_have_points_to_redeem(demo: dict[str, Any]) -> None:
    assert set(demo["keys"]) == {"checkout", "staff", "manager", "admin"}
    assert demo["console"] is None
    assert demo["shop"] is None
    headers = {"Authorization": f"Bearer {demo['keys']['checkout']}"}
    listed = requests.get(f"{demo['url']}/v1/members?limit=100", headers=headers, timeout=30).json()
    assert listed["has_more"]
    ready = [row for row in listed["data"] if row["balance"]["available"] >= 100]
    assert len(ready) >= 10


def stops_cleanly_with_its_children(process: subprocess.Popen[str], urls: list[str]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=40) == 0
    for url in urls:
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)


def blocks() -> list[str]:
    """Every shell block of the README but the two commands that hold the terminal."""
    found = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(found) > 8
    return [block for block in found if not block.startswith("make ")]


def compact(text: str) -> str:
    return re.sub(r"\s+", "", text)


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def test_a_second_demo_finds_port_and_folder_taken(demo: dict[str, Any], tmp_path: Path) -> None:
    taken = demo["url"].rpartition(":")[2]
    for arguments, words in (
        (["--port", taken, "--dir", str(tmp_path)], f"port {taken} is taken"),
        (["--port", str(a_free_port()), "--dir", demo["dir"]], "runs in"),
    ):
        ran = subprocess.run(
            [LOYALTY, "demo", *arguments], env=CLEAN, capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == 1
        assert words in ran.stderr


def test_the_sandbox_of_a_demo_tells_its_service_what_happens(demo: dict[str, Any]) -> None:
    sandbox, stripe = demo["sandbox"], ("sk_test_sandbox", "")
    made = requests.post(
        f"{sandbox}/v1/customers", auth=stripe, data={"name": "Ada"}, timeout=30
    ).json()
    assert requests.get(f"{sandbox}/_sandbox/settled?seconds=60", timeout=90).json() == {"due": 0}
    events = requests.get(
        f"{sandbox}/v1/events?type=customer.created", auth=stripe, timeout=30
    ).json()["data"]
    (event,) = [each["id"] for each in events if each["data"]["object"]["id"] == made["id"]]
    letters = requests.get(f"{sandbox}/_sandbox/deliveries?event={event}", timeout=30).json()
    # Whatever the service says to it, it was the service that was asked.
    assert [each["last_status"] is not None for each in letters["deliveries"]] == [True]
    (endpoint,) = requests.get(f"{sandbox}/v1/webhook_endpoints", auth=stripe, timeout=30).json()[
        "data"
    ]
    assert endpoint["url"] == f"{demo['url']}/webhooks/stripe"
    told = json.loads(Path(demo["dir"], "demo.json").read_text())["environment"]
    assert told["LOYALTY_STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
