"""A local server that behaves like the parts of Stripe that the service uses.

For development, demos and tests: stateful, with idempotency keys, and with faults to order.
"""

from loyalty_service.sandbox.server import NotInProduction, Server, serve

__all__ = ["NotInProduction", "Server", "serve"]
