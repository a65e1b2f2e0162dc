"""A shop under a program, at a date of our own."""

from collections.abc import Callable

import pytest
from flask import Flask

from loyalty_service import shipped
from tests.programs.travel import Travel

OPEN = "2030-01-10T10:00:00Z"


@pytest.fixture
def under(app: Flask) -> Callable[..., Travel]:
    """Open a shop under one of the shipped programs, or under a document, on a day of 2030."""

    def open_(name: str = "default", document: str | None = None, at: str = OPEN) -> Travel:
        text = document or (shipped.folder("programs") / f"{name}.yaml").read_text()
        shop = Travel.open(app, text)
        shop.go_to(at)
        return shop

    return open_
