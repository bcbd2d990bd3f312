"""From a message to a run: keys on queues, coalesced duplicates, and follow-ups for what is not done yet."""
