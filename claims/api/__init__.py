"""Claim profiles, claims, shipments, returns and labels over REST."""
