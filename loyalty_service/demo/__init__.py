"""A believable shop to try the service on: made-up customers, and every process it needs."""
