"""The domain: one noun, one file. It knows the database and the clock, and none of the doors."""
