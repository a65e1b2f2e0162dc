"""What is installed can run: the wheel carries migrations and programs."""

import ast
import configparser
import re
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from loyalty_service import shipped, wording
from loyalty_service.api import docs

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_the_wheel_carries_what_a_service_needs_at_run_time(tmp_path: Path) -> None:
    arguments = ["wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    carried = {name.partition(".data/data/share/loyalty-service/")[2] for name in names}
    for folder in ("migrations", "programs"):
        for file in shipped.folder(folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert f"{folder}/{file.relative_to(shipped.folder(folder))}" in carried
    assert "loyalty_service/sandbox/contract.json" in names
    for language in wording.languages():
        assert f"loyalty_service/words/{language}.yaml" in names
    for file in (Path(docs.__file__).parent).rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            assert f"loyalty_service/api/{file.relative_to(Path(docs.__file__).parent)}" in names


def test_the_lock_files_name_no_index(pytestconfig: pytest.Config) -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_every_import_of_the_service_is_a_declared_dependency() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    lines = settings["options"]["install_requires"].split()
    declared = {re.split(r"[<>=\[,]", line)[0].lower() for line in lines}
    distributions = packages_distributions()
    for top in sorted(imported() - set(sys.stdlib_module_names) - {"loyalty_service"}):
        owners = {name.lower().replace("_", "-") for name in distributions[top]}
        assert owners & declared, f"{top} is imported and not in install_requires"


def imported() -> set[str]:
    """The top-level names that the service imports."""
    names = set()
    for file in (ROOT / "loyalty_service").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names
