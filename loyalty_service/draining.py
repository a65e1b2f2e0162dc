"""Whether this service is about to stop: one byte that all its serving processes share.

It is made before they are forked. While it is set /readyz says no, and everything else is served:
whoever spreads the load looks elsewhere before the door is closed.
"""

import mmap

_shared = mmap.mmap(-1, 1)


def begin() -> None:
    """From now on this service is not ready."""
    _shared[0] = 1


def begun() -> bool:
    """Say whether the end has begun."""
    return bool(_shared[0])
