"""Sending webhooks: when, signed how, to which addresses, and the loop that does it."""
