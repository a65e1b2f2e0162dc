"""/docs and /docs/errors: public, complete, and nothing in them comes from another host."""

import hashlib
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty_service import create_app, errors
from loyalty_service.api import docs, texts
from loyalty_service.config import Config
from tests.api.contract import problem

PAGES = ("/docs", "/docs/errors")
STATIC = Path(docs.__file__).with_name("static")
VENDORED = STATIC / "swagger-ui"
ROW = re.compile(
    r"^\| `(.+?)` \| (.+?) \| (\d[\d.]+) \| (.+?) \| `([0-9a-f]{64})` \|$", re.MULTILINE
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """The pages need no database and no key."""
    folder = tmp_path_factory.mktemp("pages")
    made: Flask = create_app(
        Config(database_url=f"sqlite:///{folder / 'none.db'}", log_level="error")
    )
    return made.test_client()


def addresses(page: TestResponse) -> list[str]:
    """Everything that a page makes a browser fetch or lets it follow."""
    return re.findall(r'(?:src|href)="([^"]+)"', page.text)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_html_for_anybody_and_small_screens(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page.text
    assert '<html lang="en">' in page.text


@pytest.mark.parametrize("path", PAGES)
def test_everything_on_a_page_is_there_and_ours(client: FlaskClient, path: str) -> None:
    for address in addresses(client.get(path)):
        if address.startswith("#"):
            assert f'id="{address[1:]}"' in client.get(path).text
        elif address != "data:,":
            assert address.startswith("/") and not address.startswith("//")
            with client.get(address) as answer:
                assert answer.status_code == 200, address


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_lets_nothing_else_in(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert {policy["script-src"], policy["style-src"], policy["connect-src"]} == {"'self'"}
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "http" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    # What the policy would refuse must not be on the page.
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", answer.text)


def test_the_reference_draws_our_own_contract(client: FlaskClient) -> None:
    script = (STATIC / "docs.js").read_text()
    (address,) = re.findall(r'\burl: "([^"]+)"', script)
    assert client.get(urljoin("/docs", address)).json["openapi"] == "3.1.0"
    assert "validatorUrl: null" in script
    assert '<main id="reference">' in client.get("/docs").text
    for own in ("docs.js", "docs.css"):
        assert "//" not in re.sub(r"^//.*$", "", (STATIC / own).read_text(), flags=re.MULTILINE)


def test_files_are_kept_for_a_year_and_pages_asked_for_again(client: FlaskClient) -> None:
    (script,) = [one for one in addresses(client.get("/docs")) if one.endswith("bundle.js")]
    with client.get(script) as file:
        told = set(file.headers["Cache-Control"].split(", "))
        assert told == {"public", "max-age=31536000", "immutable"}
        assert file.mimetype == "text/javascript"
        known = {"If-None-Match": file.headers["ETag"]}
    with client.get(script, headers=known) as again:
        assert (again.status_code, again.data) == (304, b"")
    assert client.get("/docs").headers["Cache-Control"] == "no-cache"


def test_an_unknown_file_or_version_is_a_problem(client: FlaskClient) -> None:
    good = docs._version()
    for path in (
        f"/docs/assets/{good}/nothing.css",
        f"/docs/assets/{good}/../docs.py",
        f"/docs/assets/{good}/%2e%2e/docs.py",
        f"/docs/assets/{good}/VENDORED.md",
        "/docs/assets/0000000000000000/docs.css",
    ):
        problem(client.get(path), 404, "not_found")


def test_every_code_is_explained_with_all_that_is_known(client: FlaskClient) -> None:
    page = client.get("/docs/errors").text
    for kind in errors.catalogue():
        section = page.split(f'<section class="code" id="{kind.code}">')[1].split("</section>")[0]
        for word in (
            str(kind.status),
            kind.title,
            str(docs.ticks(texts.errors()["codes"][kind.code]["when"])),
            str(docs.ticks(texts.errors()["codes"][kind.code]["do"])),
            "Yes: the same request may succeed later." if kind.retryable else "No.",
            kind.customer_message or "Nothing.",
        ):
            assert word.replace("'", "&#39;") in section.replace("'", "&#39;"), kind.code
    for code in texts.errors()["fields"]:
        assert f'id="field-{code}"' in page


def test_markup_in_a_sentence_is_shown_not_run() -> None:
    assert docs.ticks("`<b>` & <i>") == "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"


def test_every_vendored_file_is_as_it_was_published_and_written_down() -> None:
    rows = {row[0]: row[4] for row in ROW.findall((STATIC / "VENDORED.md").read_text())}
    there = {
        f"swagger-ui/{file.name}": hashlib.sha256(file.read_bytes()).hexdigest()
        for file in VENDORED.iterdir()
    }
    assert rows == there
    assert {"swagger-ui/LICENSE", "swagger-ui/NOTICE"} <= set(there)
