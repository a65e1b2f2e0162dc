"""Which refusals a route can answer: `@refuses` beside `@allow`, and what its kind brings along.

A test holds every problem that the test suite meets against what is declared here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from loyalty_service import errors
from loyalty_service.errors import LoyaltyError

View = TypeVar("View", bound=Callable[..., Any])
Kind = type[LoyaltyError]

KEY = (
    errors.Unauthenticated,
    errors.KeyUnknown,
    errors.KeyRevoked,
    errors.KeyExpired,
    errors.ScopeMissing,
    errors.Unavailable,
)
BODY = (
    errors.NotJson,
    errors.BodyTooLarge,
    errors.UnsupportedMediaType,
    errors.ValidationFailed,
)
WRITING = (
    errors.IdempotencyKeyMissing,
    errors.IdempotencyKeyInvalid,
    errors.IdempotencyKeyReused,
    errors.ReplayExpired,
)
# What no route declares: every one may answer it, as the response `default`.
REST = (LoyaltyError, errors.MethodNotAllowed, errors.RequestTimeout)


@dataclass(frozen=True, slots=True)
class Nature:
    """What of a route brings refusals along by itself."""

    is_guarded: bool
    is_post: bool
    has_body: bool
    has_query: bool
    has_path: bool


def refuses(*kinds: Kind) -> Callable[[View], View]:
    """Declare the refusals that a route's own verbs may answer."""

    def decorate(view: View) -> View:
        view._refuses = kinds  # type: ignore[attr-defined]
        return view

    return decorate


def refusals(view: Callable[..., Any], nature: Nature) -> list[Kind]:
    """Everything that a route may refuse, by status and code."""
    found: set[Kind] = {errors.BadRequest, *getattr(view, "_refuses", ())}
    for holds, kinds in (
        (nature.is_guarded, KEY),
        (nature.is_post, WRITING),
        (nature.has_body, BODY),
        (nature.has_query, (errors.ValidationFailed,)),
        # A slash in the place of an id makes another address.
        (nature.has_path, (errors.NotFound,)),
    ):
        if holds:
            found.update(kinds)
    return sorted(found, key=lambda kind: (kind.status, kind.code))
