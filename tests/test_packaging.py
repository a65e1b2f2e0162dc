"""What is installed can run: the wheel carries migrations and programs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from loyalty_service import shipped

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


def test_the_lock_files_name_no_index(pytestconfig: pytest.Config) -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text
