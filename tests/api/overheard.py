"""Whatever is answered or logged in a test, and what must never stand in any of it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.api.contract import PROBLEM_FIELDS
from tests.shop import Shop

# What hostile requests carry where a person's data or a password could stand.
CANARY = "canary-of-a-person"
# The same in an address, which a refusal may repeat to whoever sent it.
ADDRESSED = "canary-of-an-address"
PERSONAL = {
    "email": "ana.secret@shop.example",
    "name": "Ana Verborgen",
    "birthday": "1987-06-05",
}
# The words of databases, of Python and of our own files.
INSIDES = (
    "Traceback",
    "sqlalchemy",
    "psycopg",
    "sqlite3",
    "site-packages",
    "loyalty_service/",
    "SELECT ",
    "INSERT INTO",
    "UPDATE ",
    "DELETE FROM",
    "marshmallow",
    "werkzeug",
    ".py",
)
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class Answer:
    """One answer as it left the service."""

    status: int
    headers: dict[str, str]
    text: str
    is_head: bool

    @property
    def whole(self) -> str:
        return f"{self.headers}\n{self.text}"


@dataclass
class Overheard:
    """All answers of a test, in which no secret of these shops may stand."""

    shops: list[Shop]
    answers: list[Answer] = field(default_factory=list)

    def listening(self, app: Wsgi) -> Wsgi:
        """The app, with each of its answers kept."""

        def wrapped(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            begun: dict[str, Any] = {}

            def start_response(status: str, headers: list[Any], *more: Any) -> Any:
                begun.update(status=int(status.split()[0]), headers=dict(headers))
                return start(status, headers, *more)

            body = b"".join(app(environ, start_response))
            head = environ["REQUEST_METHOD"] == "HEAD"
            self.answers.append(Answer(text=body.decode(), is_head=head, **begun))
            return [body]

        return wrapped

    def require_discretion(self, log: str) -> None:
        """No secret in any answer; nothing personal nor of the inside in an error; none in a log.

        A bug would be told with its inside in the log: so there must be none either.
        """
        never, personal = secrets_of(self.shops), (*PERSONAL.values(), CANARY)
        for answer in self.answers:
            _require_without(never, answer.whole)
            assert not any("\r" in value or "\n" in value for value in answer.headers.values())
            assert answer.status < 500, answer.text
            if answer.status >= 400 and not answer.is_head:
                _require_a_problem(answer)
                _require_without((*personal, *INSIDES), answer.whole)
        _require_without((*never, *personal, ADDRESSED, *INSIDES), log)


def secrets_of(shops: Iterable[Shop]) -> list[str]:
    """Keys, whole and without their public beginning, and what the settings hold."""
    found = []
    for shop in shops:
        config = shop.app.config["LOYALTY"]
        found += [config.database_url, config.stripe_api_key, config.stripe_webhook_secret]
        found += [token.split("_", 2)[2] for token in shop.keys.values()]
    assert all(found), "a secret that is empty proves nothing"
    return found


def _require_a_problem(answer: Answer) -> None:
    told = json.loads(answer.text)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(told) == PROBLEM_FIELDS
    assert told["status"] == answer.status
    assert told["request_id"] == answer.headers["Request-Id"]


def _require_without(words: Iterable[str], text: str) -> None:
    for word in words:
        place = text.find(word)
        assert place < 0, f"{word!r} stands in …{text[max(0, place - 200) : place + 200]}…"
