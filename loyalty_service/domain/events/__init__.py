"""Events: everything that earns and is not an order, once per event id.

`recording` is the verb. `earned` knows what events give, and no orders: an order asks it whether
something waited for it.
"""
