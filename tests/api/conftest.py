"""Overhearing: what leaves the service in a test is searched for what must not."""

import io
import sys
from collections.abc import Iterator

import pytest

from loyalty_service import logs
from tests.api.contract import another_program
from tests.api.overheard import PERSONAL, Overheard
from tests.api.routes import Things
from tests.shop import Shop


@pytest.fixture
def things(shop: Shop) -> Things:
    """One of each thing in the shop."""
    return Things.of(shop, **PERSONAL)


@pytest.fixture
def theirs(shop: Shop) -> Things:
    """One of each thing in another program of the same deployment."""
    return Things.of(another_program(shop.app), **PERSONAL)


@pytest.fixture
def overheard(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Overheard]:
    """Every answer and line of the log from here on; afterwards nothing secret may be in them."""
    heard, written = Overheard([shop]), io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(shop.app, "wsgi_app", heard.listening(shop.app.wsgi_app))
        patch.setattr(sys, "stderr", written)
        logs.configure("debug")
        yield heard
    logs.configure("error")
    assert written.getvalue(), "nothing was logged: nothing is proved"
    heard.require_discretion(written.getvalue() + caplog.text)
