"""The Dockerfile without a container runtime: read, and done step by step in a folder.

A step's absolute paths lie below the folder. The result is made read-only and is used as somebody
who owns nothing of it, as the image's user does; what only a real image shows is not claimed.
"""

import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STEP_SECONDS = 540
INSIDE = ("/opt/", "/build")


@dataclass(frozen=True)
class Step:
    """One instruction of the Dockerfile: `RUN`, and what stands behind it."""

    word: str
    rest: str


@dataclass
class Image:
    """What the steps made: its folder, and what the last stage says about running it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)

    def loyalty(self) -> list[str]:
        """The entry point, found where the image's PATH finds it."""
        found = shutil.which(self.entrypoint[0], path=self.environment["PATH"])
        assert found is not None, self.environment["PATH"]
        return [found]

    def how(self) -> dict[str, Any]:
        """For Popen: whom it runs as and where, with nothing of our own environment."""
        return {"cwd": "/", "env": dict(self.environment), **stranger()}


def steps(dockerfile: Path = ROOT / "Dockerfile") -> list[Step]:
    """Every instruction, its continued lines joined and comments left out."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    words = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [Step(word, " ".join(rest.split())) for word, rest in words]


def stages() -> list[list[Step]]:
    """The instructions from one FROM to the next."""
    found: list[list[Step]] = []
    for step in steps():
        if step.word == "FROM":
            found.append([])
        found[-1].append(step)
    return found


def stranger() -> dict[str, Any]:
    """Somebody who owns nothing here: nobody in place of root, else whoever runs the tests."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextmanager
def built() -> Iterator[Image]:
    """Do what the Dockerfile does in a fresh folder; read-only afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="image-", dir="/tmp" if stranger() else None))
    folder.chmod(0o755)
    try:
        build, final = stages()
        _do(build, folder)
        image = _described(final, folder)
        _freeze(folder)
        yield image
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _do(build: list[Step], folder: Path) -> None:
    context = _context(folder / "context")
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(_python())
    environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.defpath}"}
    workdir = folder
    for step in build:
        if step.word == "WORKDIR":
            workdir = folder / step.rest.lstrip("/")
            workdir.mkdir(parents=True)
        elif step.word == "COPY":
            _copy(context, step.rest.split(), workdir)
        elif step.word == "RUN":
            _shell(_inside(step.rest, folder), workdir, environment)
        else:
            # pip's settings in ENV only spare the image its cache; ours is shared by every run.
            assert step.word in ("FROM", "ENV"), step


def _shell(line: str, workdir: Path, environment: dict[str, str]) -> None:
    ran = subprocess.run(
        ["sh", "-c", line],
        cwd=workdir,
        env=environment,
        capture_output=True,
        text=True,
        timeout=STEP_SECONDS,
        umask=0o022,
    )
    assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"


def _described(final: list[Step], folder: Path) -> Image:
    image = Image(folder, {"PATH": os.defpath})
    for step in final:
        if step.word == "ENV":
            for pair in step.rest.split():
                name, _, value = pair.partition("=")
                value = value.replace("$PATH", image.environment["PATH"])
                image.environment[name] = _inside(value, folder)
        elif step.word == "ENTRYPOINT":
            image.entrypoint = json.loads(step.rest)
        elif step.word == "CMD":
            image.command = json.loads(step.rest)
        elif step.word == "COPY":
            assert step.rest == "--from=build /opt/loyalty /opt/loyalty", step
    return image


def _inside(text: str, folder: Path) -> str:
    for place in INSIDE:
        text = text.replace(place, f"{folder}{place}")
    return text


def _context(folder: Path) -> Path:
    """What .dockerignore lets through, which is everything that its lines with `!` name."""
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            source, target = ROOT / line[1:], folder / line[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
    return folder


def _copy(context: Path, names: list[str], workdir: Path) -> None:
    *sources, target = names
    for name in sources:
        source = context / name
        if source.is_dir():
            shutil.copytree(source, workdir / target)
        else:
            shutil.copy(source, workdir / target)


def _python() -> str:
    """A Python like the image's that the stranger may run, with what `venv` needs."""
    own = getattr(sys, "_base_executable", sys.executable)
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (own, f"/usr/local/bin/{name}", f"/usr/bin/{name}"):
        question = [candidate, "-c", "import ensurepip"]
        try:
            if subprocess.run(question, cwd="/", capture_output=True, **stranger()).returncode == 0:
                return str(candidate)
        except (PermissionError, FileNotFoundError):
            continue
    raise AssertionError(f"nobody but root may run a {name} here: install one in /usr/bin")


def _freeze(folder: Path) -> None:
    """Nobody writes here any more, the owner included; root could, and does not run anything."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
