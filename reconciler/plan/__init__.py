"""A plan as a value, with what limits it (guards, policy) and how it is shown (render)."""
