"""The REST API of claim profiles, claims, shipments, returns and labels."""
