"""What the two planes hold: plain data with its indexes, no rules and no HTTP."""
