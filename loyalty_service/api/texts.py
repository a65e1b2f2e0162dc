"""The words of the documents: what each error code means, read once from `errors.yaml`."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


@cache
def errors() -> dict[str, Any]:
    """`codes`: when, and what to do; `fields`: what the code of a wrong field means."""
    return load("errors.yaml")


def load(name: str) -> dict[str, Any]:
    """One YAML file of this folder."""
    read: dict[str, Any] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return read
