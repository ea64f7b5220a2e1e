"""Webhooks: events are sent to the receivers that an organization registers."""
