"""State, leases and queues in an Azure Storage account."""
