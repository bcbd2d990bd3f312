"""A plan as a value, with what limits it (guards, policy), the rights it requires, and how it is shown (render)."""
