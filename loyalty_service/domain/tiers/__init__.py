"""Tiers: what counts towards them, which one is held, and what reaching one gives."""
