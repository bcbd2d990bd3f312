"""From a message to a run: keys on queues, duplicates that cost nothing, and a follow-up for what is not done yet."""
