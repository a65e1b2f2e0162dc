"""The environment becomes a Config, or the start stops and says which variable and why."""

import pytest

from loyalty_service.config import BadConfig, Config, from_environment

POSTGRES = "postgresql+psycopg://shop:hunter2@db.example:5432/loyalty"
GOOD = {"LOYALTY_DATABASE_URL": POSTGRES}
PRODUCTION = {**GOOD, "LOYALTY_ENV": "production", "LOYALTY_STRIPE_API_KEY": "sk_live_hunter2"}
NUMBERS = (
    "LOYALTY_STRIPE_DEADLINE_MS",
    "LOYALTY_STRIPE_WORKER_TIMEOUT_MS",
    "LOYALTY_BODY_LIMIT_BYTES",
    "LOYALTY_DATABASE_POOL_SIZE",
    "LOYALTY_WORKER_POLL_MS",
)


def test_a_database_is_enough_to_start() -> None:
    config = from_environment(GOOD)
    assert (config.env, config.is_production, config.is_sqlite) == ("sandbox", False, False)
    assert config.body_limit_bytes == 1048576
    assert config.stripe_deadline_ms == 3000


def test_every_setting_is_read_from_its_variable() -> None:
    config = from_environment(
        {
            "LOYALTY_DATABASE_URL": " sqlite:////srv/loyalty.db ",
            "LOYALTY_WORKER_IN_PROCESS": "Yes",
            "LOYALTY_LOG_LEVEL": "debug",
            **{name: " 7 " for name in NUMBERS},
        }
    )
    assert config.is_sqlite
    assert config.worker_in_process is True
    assert config.log_level == "debug"
    assert {getattr(config, name.removeprefix("LOYALTY_").lower()) for name in NUMBERS} == {7}


def test_other_variables_do_not_matter() -> None:
    assert from_environment({**GOOD, "PATH": "/bin", "DATABASE_URL": "x"}) == from_environment(GOOD)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "ten", "1e3", "0x10", "٣", "9" * 5000])
def test_a_number_that_is_none_stops_the_start(name: str, value: str) -> None:
    assert name in refusal({**GOOD, name: value})


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("LOYALTY_ENV", "prod", "sandbox or production"),
        ("LOYALTY_ENV", "", "sandbox or production"),
        ("LOYALTY_LOG_LEVEL", "loud", "debug, info, warning, error"),
        ("LOYALTY_WORKER_IN_PROCESS", "maybe", "true or false"),
        ("LOYALTY_STRIPE_API_BASE", "localhost:12111", "http://"),
        ("LOYALTY_STRIPE_API_BASE", "ftp://stripe", "http://"),
    ],
)
def test_a_wrong_word_stops_the_start_and_says_what_is_right(
    name: str, value: str, hint: str
) -> None:
    said = refusal({**GOOD, name: value})
    assert name in said
    assert hint in said


def test_a_missing_database_stops_the_start() -> None:
    assert "LOYALTY_DATABASE_URL is missing" in refusal({})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "postgresql://shop:hunter2@db/loyalty",
        "mysql://shop:hunter2@db/loyalty",
        "postgresql+psycopg://shop:hunter2@db:port/loyalty",
        "sqlite:///hunter2.db",
        "sqlite:///:memory:",
        "sqlite://",
    ],
)
def test_a_wrong_database_address_is_named_and_its_password_never_told(url: str) -> None:
    with pytest.raises(BadConfig, match="LOYALTY_DATABASE_URL") as caught:
        from_environment({"LOYALTY_DATABASE_URL": url})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


def test_production_needs_a_stripe_key_and_the_real_stripe() -> None:
    assert from_environment(PRODUCTION).is_production
    without = {name: value for name, value in PRODUCTION.items() if "STRIPE" not in name}
    assert "LOYALTY_STRIPE_API_KEY" in refusal(without)
    sandboxed = {**PRODUCTION, "LOYALTY_STRIPE_API_BASE": "http://hunter2@stripe.example"}
    said = refusal(sandboxed)
    assert "LOYALTY_STRIPE_API_BASE" in said
    assert "hunter2" not in said


def test_a_signing_key_that_could_be_guessed_stops_the_start() -> None:
    with pytest.raises(BadConfig) as refused:
        Config(database_url=POSTGRES, signing_key="hunter2" * 4)
    assert "LOYALTY_SIGNING_KEY" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_no_secret_shows_where_a_config_is_printed() -> None:
    config = Config(
        database_url=POSTGRES,
        stripe_api_key="sk_live_hunter2",
        stripe_webhook_secret="whsec_hunter2",
        stripe_api_base="https://hunter2@stripe.example",
        checkpoint_key="hunter2" * 5,
        signing_key="hunter2" * 5,
    )
    assert "hunter2" not in f"{config} {config!r}"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("LOYALTY_DATABSE_URL", "LOYALTY_DATABASE_URL"),
        ("LOYALTY_DATABASE", "LOYALTY_DATABASE_URL"),
        ("LOYALTY_STRIPE_KEY", "LOYALTY_STRIPE_API_KEY"),
        ("LOYALTY_STRIPE_API_KEYS", "LOYALTY_STRIPE_API_KEY"),
        ("LOYALTY_LOGLEVEL", "LOYALTY_LOG_LEVEL"),
        ("LOYALTY_env", "LOYALTY_ENV"),
    ],
)
def test_a_slip_in_a_variables_name_is_refused_with_the_right_name(wrong: str, right: str) -> None:
    said = refusal({**GOOD, wrong: "hunter2"})
    assert wrong in said
    assert f"did you mean {right}?" in said
    assert "hunter2" not in said


def test_an_unknown_variable_like_no_other_is_refused_with_all_names() -> None:
    said = refusal({**GOOD, "LOYALTY_XYZZY": "1"})
    assert "LOYALTY_XYZZY" in said
    assert "LOYALTY_DATABASE_URL" in said


def test_a_programs_own_stripe_key_is_no_slip() -> None:
    from_environment({**GOOD, "LOYALTY_STRIPE_API_KEY_BEAUTY": "sk_test_1"})


@pytest.mark.parametrize(
    "name",
    [
        "LOYALTY_SERVICE_HOST",
        "LOYALTY_SERVICE_PORT",
        "LOYALTY_SERVICE_PORT_HTTP",
        "LOYALTY_PORT",
        "LOYALTY_PORT_8080_TCP",
        "LOYALTY_PORT_8080_TCP_ADDR",
        "LOYALTY_API_SERVICE_HOST",
        "LOYALTY_API_PORT_80_TCP_PROTO",
    ],
)
def test_what_kubernetes_puts_beside_a_service_is_no_slip(name: str) -> None:
    from_environment({**GOOD, name: "tcp://10.0.0.1:8080"})


def refusal(environment: dict[str, str]) -> str:
    """What the start says when it refuses."""
    with pytest.raises(BadConfig) as caught:
        from_environment(environment)
    return str(caught.value)
