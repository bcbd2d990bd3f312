"""The event-driven part: events, queue, triggers, HTTP and the host for machines without the Functions host."""
