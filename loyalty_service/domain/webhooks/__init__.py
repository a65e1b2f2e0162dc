"""Webhooks out: the endpoints of a program, what each is to be sent, and how it is signed."""
