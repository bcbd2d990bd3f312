"""Which rights are missing."""
