"""The rules of the house: who imports whom, one clock, no float, who commits.

Who imports whom is said in `.importlinter`; the rest is read from the source here.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import loyalty_service

PACKAGE = Path(loyalty_service.__file__).parent
DOMAIN = PACKAGE / "domain"

# Whoever asks the machine for the time: nobody but the clock. A stopwatch (monotonic) is no clock.
ASKING_THE_TIME = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "gmtime"),
    ("time", "localtime"),
}
LINES_MAX = 400


def test_modules_import_only_what_they_may() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run(
        [lint, "--no-cache", "--no-logo"],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "0 broken" in ran.stdout


def test_the_domain_has_no_float() -> None:
    assert [said for file in files(DOMAIN) for said in floats(file)] == []


def test_only_the_clock_asks_for_the_time() -> None:
    asking = {
        file.relative_to(PACKAGE).as_posix()
        for file in files(PACKAGE)
        for name in calls(file)
        if name in ASKING_THE_TIME
    }
    # The sandbox plays Stripe, whose clock is not ours.
    assert asking == {"clock.py", "sandbox/state.py"}


def test_the_domain_flushes_and_never_commits() -> None:
    found = [
        f"{file.name}: {of}.{verb}()"
        for file in files(DOMAIN)
        for of, verb in calls(file)
        if verb in ("commit", "rollback")
    ]
    assert found == []


def test_no_file_outgrows_a_reader() -> None:
    lines = {file: len(file.read_text().splitlines()) for file in files(PACKAGE)}
    assert [file.name for file, count in lines.items() if count > LINES_MAX] == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("a = 1.5", 1),
        ("a = float('2')", 1),
        ("a: float = 2", 1),
        ("a = 3 // 2", 0),
    ],
)
def test_the_search_for_floats_finds_them(tmp_path: Path, source: str, count: int) -> None:
    file = tmp_path / "planted.py"
    file.write_text(source)
    assert len(list(floats(file))) == count


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from datetime import datetime\ndatetime.now()", ("datetime", "now")),
        ("import datetime\ndatetime.datetime.utcnow()", ("datetime", "utcnow")),
        ("import time\ntime.time()", ("time", "time")),
        ("session.commit()", ("session", "commit")),
        ("book.session.commit()", ("session", "commit")),
    ],
)
def test_the_search_for_calls_finds_them(
    tmp_path: Path, source: str, name: tuple[str, str]
) -> None:
    file = tmp_path / "planted.py"
    file.write_text(source)
    assert list(calls(file)) == [name]


def files(folder: Path) -> list[Path]:
    """Every Python file below a folder."""
    return sorted(folder.rglob("*.py"))


def floats(file: Path) -> Iterator[str]:
    """Where a file names `float` or writes one down."""
    for node in ast.walk(ast.parse(file.read_text())):
        is_named = isinstance(node, ast.Name) and node.id == "float"
        is_written = isinstance(node, ast.Constant) and isinstance(node.value, float)
        if is_named or is_written:
            yield f"{file.name}:{node.lineno}"


def calls(file: Path) -> Iterator[tuple[str, str]]:
    """Every call of a method or of a module's function, as (of what, which)."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            name = of.attr if isinstance(of, ast.Attribute) else getattr(of, "id", "")
            yield name, node.func.attr
