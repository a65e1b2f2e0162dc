"""The operator's terminal: commands of `loyalty` with an app's settings in the environment."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from loyalty_service import cli
from loyalty_service.config import Config, variable

Run = Callable[..., Result]
SETTINGS = ("database_url", "stripe_api_key", "stripe_api_base", "log_level")


def environment(app: Flask) -> dict[str, str]:
    """An app's settings as variables; a command needs few connections of its own."""
    config: Config = app.config["LOYALTY"]
    told = {variable(name): str(getattr(config, name)) for name in SETTINGS}
    return told | {variable("database_pool_size"): "2"}


def terminal(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Run:
    """What runs a command, given its words, with an app's settings in the environment."""
    for name, value in environment(app).items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(cli.main, [str(word) for word in words])
