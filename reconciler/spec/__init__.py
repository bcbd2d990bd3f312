"""From YAML in git to specs: `model` is what the rest of the program sees."""
