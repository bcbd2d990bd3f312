"""State, leases and queues in one SQLite file, for a machine of one's own."""
