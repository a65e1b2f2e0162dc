"""Refusals of a request as such, whatever it asks for."""

from loyalty_service.errors.root import LoyaltyError


class Unavailable(LoyaltyError):
    """The database can't be reached or asked us to give up."""

    code, status, title = "unavailable", 503, "The service is not available right now"
    retryable = True


class BadRequest(LoyaltyError):
    """The request is not HTTP or JSON that we can read."""

    code, status, title = "bad_request", 400, "The request can't be read"


class NotJson(BadRequest):
    """The body is not one JSON object."""

    code, title = "not_json", "The body is not a JSON object"


class StripeWebhookNotSet(LoyaltyError):
    """Nobody has told us the secret of the endpoint at Stripe."""

    code, status, title = "stripe_webhook_not_set", 404, "This service takes no webhooks yet"


class StripeNotSigned(BadRequest):
    """The signature is missing, of another secret, or not of this body."""

    code, title = "stripe_signature_invalid", "The webhook's signature does not hold"


class StripeSignatureOld(BadRequest):
    """Signed rightly, and too long ago."""

    code, title = "stripe_signature_too_old", "The webhook was signed too long ago"


class StripeEventNotRead(BadRequest):
    """Signed rightly, and not an event that can be read."""

    code, title = "stripe_event_not_read", "The webhook holds no event"


class IdempotencyKeyMissing(BadRequest):
    """A writing POST without `Idempotency-Key`."""

    code, title = "idempotency_key_missing", "The Idempotency-Key header is missing"


class IdempotencyKeyInvalid(BadRequest):
    """An `Idempotency-Key` that is empty, too long or not printable."""

    code, title = "idempotency_key_invalid", "The Idempotency-Key header is not usable"


class Unauthenticated(LoyaltyError):
    """No key, or one that is unknown."""

    code, status, title = "key_missing", 401, "An API key is needed"


class KeyUnknown(Unauthenticated):
    """The key is not one of ours."""

    code, title = "key_unknown", "The API key is not known"


class KeyRevoked(Unauthenticated):
    """The key was revoked."""

    code, title = "key_revoked", "The API key was revoked"


class KeyExpired(Unauthenticated):
    """The key's time is over."""

    code, title = "key_expired", "The API key has expired"


class ScopeMissing(LoyaltyError):
    """The key is good, but not for this call."""

    code, status, title = "scope_missing", 403, "The API key may not do this"


class NotFound(LoyaltyError):
    """Nothing of that id in this program."""

    code, status, title = "not_found", 404, "There is nothing here"


class CursorNotFound(NotFound):
    """A list was asked to go on from an id that it does not hold."""

    code, title = "cursor_not_found", "The list has no such id to go on from"


class MethodNotAllowed(LoyaltyError):
    """The address exists, the method does not."""

    code, status, title = "method_not_allowed", 405, "This address does not take this method"


class RequestTimeout(LoyaltyError):
    """The body did not come in time; nothing was done."""

    code, status, title = "request_timeout", 408, "The request did not arrive in time"
    retryable = True


class BodyTooLarge(LoyaltyError):
    """The body is above the limit."""

    code, status, title = "body_too_large", 413, "The body is too large"


class UnsupportedMediaType(LoyaltyError):
    """The body is not plain `application/json` in UTF-8."""

    code, status, title = "unsupported_media_type", 415, "The body must be application/json"


class ValidationFailed(LoyaltyError):
    """One or more fields are wrong; `errors` names each."""

    code, status, title = "validation_failed", 422, "Some fields are not right"


class IdempotencyKeyReused(LoyaltyError):
    """The same key came with another request."""

    code, status = "idempotency_key_reused", 422
    title = "The Idempotency-Key was used for another request"
