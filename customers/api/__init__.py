"""Customers, projects and API keys over REST."""
