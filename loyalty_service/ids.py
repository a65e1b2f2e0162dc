"""Sortable prefixed ids, `mem_01k…`: 48 bits of milliseconds and 80 random bits in base 32.

Ids made by one process are strictly increasing, so `ORDER BY id` is the order of creation.
"""

import secrets
import threading

from loyalty_service import clock

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_PAIRS_IN_AN_ID = 13
_lock = threading.Lock()
_last = 0


def new(prefix: str) -> str:
    """A fresh id such as `ltx_01k0f3…`."""
    global _last
    milliseconds = int(clock.wall().timestamp() * 1000)
    fresh = (milliseconds << 80) | secrets.randbits(80)
    with _lock:
        _last = fresh if fresh > _last else _last + 1
        value = _last
    return f"{prefix}_{_encode(value)}"


def code(groups: int = 3, size: int = 4) -> str:
    """A random code that a person can read aloud, such as `7K3M-9QXD-2W8F`."""
    letters = ALPHABET.upper()
    return "-".join("".join(secrets.choice(letters) for _ in range(size)) for _ in range(groups))


def as_code(words: str) -> str:
    """What a person typed, as a code is written: `7k3m 9qxd2w8f` -> `7K3M-9QXD-2W8F`."""
    letters = "".join(character for character in words.upper() if character.isalnum())
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def _encode(value: int) -> str:
    pairs = [_PAIRS[value >> 10 * place & 1023] for place in range(_PAIRS_IN_AN_ID - 1, -1, -1)]
    return "".join(pairs)
