"""What claims show on other apps' pages."""
