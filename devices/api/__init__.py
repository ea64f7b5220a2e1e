"""Products, devices, ownerships and batches over REST."""
