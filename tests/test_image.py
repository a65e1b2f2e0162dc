"""What the Dockerfile makes runs: every role, from a read-only tree, as somebody without a home.

No image is built: there is no container runtime in a test. The steps are the Dockerfile's own.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests

from tests import figures, image, manifests, postgres, running
from tests.image import Image
from tests.running import Running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made() -> Iterator[Image]:
    with image.built() as built:
        yield built


@pytest.fixture
def writable() -> Iterator[Path]:
    """The only folder that the image's user may write to, as /tmp in the pod."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        who = image.stranger()
        if who:
            os.chown(folder, who["user"], who["group"])
        yield Path(folder)


@pytest.fixture
def environment(
    postgres_server: postgres.Server, worker_id: str, writable: Path
) -> Iterator[dict[str, str]]:
    name = f"loyalty_image_{worker_id}"
    postgres_server.drop_database(name)
    postgres_server.create_database(name)
    yield {
        "LOYALTY_DATABASE_URL": postgres_server.url(name),
        "LOYALTY_STRIPE_API_KEY": "sk_live_that_nobody_asks",
        "LOYALTY_CHECKPOINT_KEY": "x" * 32,
        "PROMETHEUS_MULTIPROC_DIR": str(writable / "metrics"),
        "TMPDIR": str(writable),
    }
    postgres_server.drop_database(name)


def test_every_role_runs_from_what_the_dockerfile_makes(
    made: Image, environment: dict[str, str], tmp_path: Path
) -> None:
    assert "loyalty migrate" in once(made, environment, *arguments("serve"), fails=True)
    for _ in range(2):
        assert "The schema is at" in once(made, environment, *arguments("migrate"))
    assert "production does not start" in once(made, environment, *arguments("serve"), fails=True)
    (default,) = made.folder.glob("opt/loyalty/share/loyalty-service/programs/default.yaml")
    once(made, environment, "program", "apply", str(default), "--yes")
    create = ("keys", "create", "--name", "till", "--scope", "checkout", "--json")
    key = json.loads(once(made, environment, *create))["key"]
    with role(made, environment, "serve", tmp_path) as service:
        service.wait_for(200, "/readyz")
        enrol(service.url, key)
        told = figures.named(
            service.figures(),
            "loyalty_request_duration_seconds_count",
            method="POST",
            route="/v1/members",
            status="2xx",
        )
        assert told == 1
    with role(made, environment, "worker", tmp_path) as worker:
        worker.wait_for(200, "/livez")
        assert worker.status("/metrics") == 200
    assert "The books balance" in once(made, environment, "ledger", "verify")


def test_nothing_of_it_can_be_written_by_its_user(made: Image) -> None:
    script = "find . -writable -not -type l"
    ran = subprocess.run(
        ["sh", "-c", script], **{**made.how(), "cwd": made.folder}, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_it_carries_neither_tests_nor_tools_to_build_with(made: Image) -> None:
    carried = {path.name for path in made.folder.glob("opt/loyalty/lib/python3*/site-packages/*")}
    assert {"loyalty_service", "gunicorn", "psycopg"} <= carried
    assert not carried & {"tests", "pip", "setuptools", "pytest", "hypothesis"}


def once(made: Image, environment: dict[str, str], *command: str, fails: bool = False) -> str:
    """Run a command to its end; what it said."""
    how = made.how()
    ran = subprocess.run(
        [*made.loyalty(), *command],
        **{**how, "env": how["env"] | environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode != 0) is fails, ran.stdout + ran.stderr
    return ran.stderr if fails else ran.stdout


def role(
    made: Image, environment: dict[str, str], name: str, folder: Path
) -> AbstractContextManager[Running]:
    """Start a role as its manifest does, but on this machine's own address."""
    how = made.how()
    return running.command(
        [*arguments(name), "--host", "127.0.0.1"],
        {},
        folder / f"{name}.log",
        loyalty=made.loyalty(),
        **{**how, "env": how["env"] | environment},
    )


def arguments(name: str) -> list[str]:
    """What the manifest of a role hands to the entry point."""
    (container,) = [
        container
        for resource in manifests.resources()
        if (pod := manifests.pod_of(resource))
        for container in pod["spec"]["containers"]
        if container["name"] == name
    ]
    return [str(argument) for argument in container["args"]]


def enrol(url: str, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "first"}
    body = {"external_id": "ada"}
    answer = requests.post(f"{url}/v1/members", json=body, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
