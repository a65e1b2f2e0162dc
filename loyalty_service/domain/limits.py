"""The largest figures that are kept: every one of them is a whole number that JSON readers keep."""

POINTS_MAX = 10**12
"""The most points that one rule, slab, grant, order or posting may move."""

INTEGER_MAX = 2**53 - 1
"""The largest whole number in JSON, and so the largest amount in minor units."""
