"""Webhooks: what happened, told to the receivers that an organization names."""
