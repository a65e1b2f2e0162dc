"""Where the files lie that an installed package needs at run time: migrations and programs."""

import sysconfig
from pathlib import Path


def folder(name: str) -> Path:
    """The folder `migrations` or `programs`: beside the package in a checkout, else installed."""
    beside = Path(__file__).resolve().parent.parent / name
    if beside.is_dir():
        return beside
    return Path(sysconfig.get_path("data")) / "share" / "loyalty-service" / name
