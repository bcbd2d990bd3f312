"""Azure Resource Manager: pools as raw documents, and what is read about things around them."""
