"""What goes wrong on purpose: faults at Stripe, races, and processes killed.

The kill tests run the real commands as processes (`service`, `launched`) in a `world` with a
durable PostgreSQL and Stripe's sandbox. `clients` ask again until they have an answer; `books` says
what must be true afterwards. A `gate` holds the service at its `points`; `planted` puts bugs in.
Sizes and the seed come from the environment (`sizes`); `make faults` sets the full ones.
"""
