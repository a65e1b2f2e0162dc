"""Signed statements: a JSON Web Token (RFC 7519) with HS256, made and read with one shared key.

Any JWT library reads it. The algorithm is ours to say: what a token's header asks for is not
looked at.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from loyalty_service import canonical

_HEADER = {"alg": "HS256", "typ": "JWT"}


def sign(claims: Mapping[str, Any], key: str) -> str:
    """Some claims as a token; the same claims always give the same one."""
    told = ".".join(_part(canonical.dumps(part).encode()) for part in (_HEADER, dict(claims)))
    made = hmac.new(key.encode(), told.encode(), hashlib.sha256).digest()
    return f"{told}.{_part(made)}"


def _part(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
