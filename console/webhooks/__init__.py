"""Webhooks: what happened is sent to the receivers that an organization names."""
