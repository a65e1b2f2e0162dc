"""How fast the service is, beside what nothing but a web framework and a database would cost."""
