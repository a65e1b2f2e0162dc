"""Dockerfile and manifests ask only for what the service has, and the lint step refuses faults."""

import configparser
import re
import shutil
from pathlib import Path
from typing import Any

import click
import pytest
import requests
import yaml
from flask import Flask

from loyalty_service import cli, server, worker, worker_door
from loyalty_service.api.guard import PUBLIC, declared
from loyalty_service.config import Config, from_environment, variable
from tests import image, manifests
from tests.running import a_free_port

ROOT = manifests.ROOT
SETTINGS = configparser.ConfigParser()
SETTINGS.read(ROOT / "setup.cfg")
NAME, VERSION = SETTINGS["metadata"]["name"], SETTINGS["metadata"]["version"]
Change = tuple[str, str, str]


@pytest.fixture(scope="module")
def resources() -> list[dict[str, Any]]:
    """The base as kustomize builds it."""
    return manifests.resources()


@pytest.fixture(scope="module")
def containers(resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The container of each role."""
    pods = [pod for resource in resources if (pod := manifests.pod_of(resource))]
    return {container["name"]: container for pod in pods for container in pod["spec"]["containers"]}


@pytest.mark.slow
def test_dockerfile_and_manifests_are_faultless() -> None:
    assert manifests.faults() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("USER 10001:10001", "USER root", "Dockerfile"), "DL3002"),
        (("python:3.11.14-slim-bookworm AS", "python:latest AS", "Dockerfile"), "DL3007"),
        (("apiVersion: apps/v1", "apiVersion: apps/v2", "serve.yaml"), "apps/v2"),
        (("apiVersion: policy/v1", "apiVersion: policy/v1beta1", "disruption.yaml"), "v1beta1"),
        (("replicas: 2", "replicas: two", "serve.yaml"), "replicas"),
        (("  replicas: 2", "  replica: 2", "serve.yaml"), "replica"),
        (("newTag: 0.1.0", "newTag: latest", "kustomization.yaml"), "no version"),
        (("runAsUser: 10001", "runAsUser: 0", "worker.yaml"), "runs as root"),
        (("runAsNonRoot: true", "runAsNonRoot: false", "migrate.yaml"), "runs as root"),
        (("readOnlyRootFilesystem: true", "privileged: true", "serve.yaml"), "be written"),
        (("drop: [ALL]", "drop: [CHOWN]", "serve.yaml"), "capabilities"),
        (("automountServiceAccountToken: false", "paused: false", "serve.yaml"), "paused"),
        (("AccountToken: false", "AccountToken: true", "worker.yaml"), "token"),
        (("runAsUser: 10001", "runAsUser: 0", "reconcile.yaml"), "runs as root"),
        (("- worker.yaml", "- gone.yaml", "kustomization.yaml"), "gone.yaml"),
    ],
    ids=lambda value: value[1].strip() if isinstance(value, tuple) else None,
)
def test_a_planted_fault_is_refused(tmp_path: Path, change: Change, said: str) -> None:
    good, bad, name = change
    dockerfile = Path(shutil.copy(manifests.DOCKERFILE, tmp_path))
    base = Path(shutil.copytree(manifests.BASE, tmp_path / "base"))
    file = dockerfile if name == "Dockerfile" else base / name
    assert good in file.read_text()
    file.write_text(file.read_text().replace(good, bad))
    found = manifests.faults(dockerfile, base)
    assert any(said in fault for fault in found), found


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "package"), manifests.PACKAGES.items())
def test_a_missing_tool_is_a_fault_that_names_its_package(
    tool: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in set(manifests.PACKAGES) - {tool}:
        (tmp_path / other).symlink_to(manifests.TOOLS / other)
    monkeypatch.setattr(manifests, "TOOLS", tmp_path)
    (said,) = manifests.faults()
    assert f"install {package}" in said


def test_the_tools_are_pinned_for_every_clone() -> None:
    wanted = SETTINGS["options.extras_require"]["dev"].split()
    for package in manifests.PACKAGES.values():
        assert any(line.startswith(f"{package}==") for line in wanted), package


def test_name_and_version_of_the_image_are_those_of_the_package(
    containers: dict[str, dict[str, Any]],
) -> None:
    assert {container["image"] for container in containers.values()} == {f"{NAME}:{VERSION}"}
    text = manifests.DOCKERFILE.read_text()
    assert f'org.opencontainers.image.version="{VERSION}"' in text
    assert f'org.opencontainers.image.title="{NAME}"' in text
    assert f"docker build --tag {NAME}:{VERSION} ." in text


def test_the_base_image_has_one_exact_version() -> None:
    tags = {step.rest.split()[0] for step in image.steps() if step.word == "FROM"}
    (tag,) = tags
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", tag)


def test_the_build_needs_only_what_its_lock_pins() -> None:
    (asked,) = re.findall(r'^requires = \["(.*)"\]', (ROOT / "pyproject.toml").read_text(), re.M)
    pinned = (ROOT / "requirements-build.lock").read_text()
    assert re.findall(r"^[a-z-]+", pinned, re.M) == [asked.partition(">")[0]]
    assert asked in (ROOT / "Makefile").read_text()
    assert "--no-build-isolation" in manifests.DOCKERFILE.read_text()


def test_the_build_is_given_what_it_copies_and_nothing_else() -> None:
    let_in = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    }
    copied = [
        source
        for step in image.steps()
        if step.word == "COPY" and not step.rest.startswith("--from")
        for source in step.rest.split()[:-1]
    ]
    assert sorted(copied) == sorted(let_in)


def test_every_role_has_arguments_that_the_command_line_takes(
    containers: dict[str, dict[str, Any]],
) -> None:
    assert set(containers) == {"serve", "worker", "migrate", "reconcile"}
    for name, container in containers.items():
        assert parsed(container["args"]).info_name == name
    (command,) = [step.rest for step in image.steps() if step.word == "CMD"]
    assert parsed(yaml.safe_load(command)).params["port"] == 8080


def test_every_variable_of_the_manifests_is_a_setting(resources: list[dict[str, Any]]) -> None:
    settings = of_kind(resources, "ConfigMap")[0]["data"]
    secrets = list(yaml.safe_load_all(manifests.EXAMPLES[0].read_text()))
    named = set(settings).union(*(secret["stringData"] for secret in secrets))
    assert named <= {variable(name) for name in Config.__dataclass_fields__}
    first, of_the_job = (secret["stringData"] for secret in secrets)
    assert from_environment({**settings, **first}).is_production
    assert from_environment({**settings, **first, **of_the_job}).is_production


def test_settings_and_secrets_are_those_that_the_pods_ask_for(
    resources: list[dict[str, Any]], containers: dict[str, dict[str, Any]]
) -> None:
    (settings,) = of_kind(resources, "ConfigMap")
    secrets = {
        secret["metadata"]["name"]
        for secret in yaml.safe_load_all(manifests.EXAMPLES[0].read_text())
    }
    for name, container in containers.items():
        sources = container["envFrom"]
        asked = [next(iter(source.values()))["name"] for source in sources]
        assert asked[0] == settings["metadata"]["name"]
        assert set(asked[1:]) == (secrets if name == "migrate" else {"loyalty"})


def test_the_figures_have_a_folder_of_their_own(containers: dict[str, dict[str, Any]]) -> None:
    (own,) = containers["serve"]["env"]
    assert own["name"] == "PROMETHEUS_MULTIPROC_DIR"
    mounted = {mount["mountPath"] for mount in containers["serve"]["volumeMounts"]}
    assert mounted == {own["value"], "/tmp"}


def test_every_probe_asks_an_address_that_answers_without_a_key(
    containers: dict[str, dict[str, Any]], app: Flask
) -> None:
    public = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if declared(app.view_functions[rule.endpoint]) == PUBLIC
    }
    assert probed(containers["serve"]) == {"/livez", "/readyz"} <= public
    port = a_free_port()
    with app.app_context():
        # Other tests may have kept this process from working for longer than a probe forgives.
        worker.run_once()
    with worker_door.opened(app, "127.0.0.1", port):
        for path in probed(containers["worker"]) | {"/metrics"}:
            assert requests.get(f"http://127.0.0.1:{port}{path}", timeout=30).ok


def test_everything_speaks_of_one_port(
    resources: list[dict[str, Any]], containers: dict[str, dict[str, Any]]
) -> None:
    (exposed,) = [int(step.rest) for step in image.steps() if step.word == "EXPOSE"]
    ports = {parsed(containers[name]["args"]).params["port"] for name in ("serve", "worker")}
    ports |= {containers[name]["ports"][0]["containerPort"] for name in ("serve", "worker")}
    (network,) = of_kind(resources, "NetworkPolicy")
    ports |= {network["spec"]["ingress"][0]["ports"][0]["port"]}
    for resource in of_kind(resources, "Deployment"):
        notes = manifests.pod_of(resource)["metadata"]["annotations"]
        ports |= {int(notes["prometheus.io/port"])}
        assert notes["prometheus.io/path"] == "/metrics"
    assert ports == {exposed}


def test_whatever_selects_pods_selects_those_it_means(resources: list[dict[str, Any]]) -> None:
    pods = {
        resource["metadata"]["name"]: manifests.pod_of(resource)["metadata"]["labels"]
        for resource in resources
        if manifests.pod_of(resource)
    }
    for kind, means in (
        ("Service", {"loyalty-serve"}),
        ("PodDisruptionBudget", {"loyalty-serve"}),
        ("NetworkPolicy", set(pods)),
    ):
        (resource,) = of_kind(resources, kind)
        assert {name for name, labels in pods.items() if selects(resource, labels)} == means
    for resource in of_kind(resources, "Deployment"):
        name = resource["metadata"]["name"]
        assert {pod for pod, labels in pods.items() if selects(resource, labels)} == {name}


def test_the_user_is_the_one_of_the_image(resources: list[dict[str, Any]]) -> None:
    (user,) = [step.rest for step in image.steps() if step.word == "USER"]
    for resource in resources:
        if pod := manifests.pod_of(resource):
            rights = pod["spec"]["securityContext"]
            assert f"{rights['runAsUser']}:{rights['runAsGroup']}" == user


def test_a_pod_has_time_to_drain_and_to_finish(
    resources: list[dict[str, Any]], containers: dict[str, dict[str, Any]]
) -> None:
    drain_seconds = parsed(containers["serve"]["args"]).params["drain_seconds"]
    assert drain_seconds > 0
    serve = next(one for one in resources if one["metadata"]["name"] == "loyalty-serve")
    grace_seconds = manifests.pod_of(serve)["spec"]["terminationGracePeriodSeconds"]
    assert grace_seconds > drain_seconds + server.SETTINGS["graceful_timeout"]


def test_the_label_of_the_job_selects_all_that_it_needs(resources: list[dict[str, Any]]) -> None:
    chosen = {
        (resource["kind"], resource["metadata"]["name"].partition("-")[0])
        for resource in resources
        if resource["metadata"]["labels"]["app.kubernetes.io/component"] == "migrate"
    }
    assert chosen == {(kind, "loyalty") for kind in ("ServiceAccount", "ConfigMap", "Job")}


def test_the_overlay_in_the_docs_names_image_and_settings(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    (overlay,) = re.findall(r"```yaml\n(resources:.*?)```", page, re.DOTALL)
    shutil.copytree(manifests.BASE, tmp_path / "base")
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yaml").write_text(overlay)
    built = manifests.resources(tmp_path / "overlay")
    (settings,) = of_kind(built, "ConfigMap")
    base = of_kind(manifests.resources(), "ConfigMap")[0]
    assert settings["data"] == base["data"] | {"LOYALTY_DATABASE_POOL_SIZE": "20"}
    assert settings["metadata"]["name"] != base["metadata"]["name"]
    assert settings["metadata"]["labels"] == base["metadata"]["labels"]
    for kind in ("Deployment", "Job"):
        for resource in of_kind(built, kind):
            (container,) = manifests.pod_of(resource)["spec"]["containers"]
            assert container["image"] == f"registry.example/{NAME}:{VERSION}"
            assert container["envFrom"][0]["configMapRef"]["name"] == settings["metadata"]["name"]


def parsed(arguments: list[Any]) -> click.Context:
    """A command line as click reads it, without running it; a wrong one raises."""
    name, *rest = [str(argument) for argument in arguments]
    command = cli.main.commands[name]
    if isinstance(command, click.Group):
        name, *rest = rest
        command = command.commands[name]
    return command.make_context(name, rest)


def of_kind(resources: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    found = [resource for resource in resources if resource["kind"] == kind]
    assert found, kind
    return found


def selects(resource: dict[str, Any], labels: dict[str, str]) -> bool:
    selector = resource["spec"].get("selector") or resource["spec"]["podSelector"]
    wanted = selector.get("matchLabels", selector)
    assert wanted
    return wanted.items() <= labels.items()


def probed(container: dict[str, Any]) -> set[str]:
    probes = [probe for name, probe in container.items() if name.endswith("Probe")]
    assert {probe["httpGet"]["port"] for probe in probes} == {container["ports"][0]["name"]}
    return {probe["httpGet"]["path"] for probe in probes}
