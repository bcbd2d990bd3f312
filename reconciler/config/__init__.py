"""Configuration of a deployment: the environment, read once; triggers; and which hosts get tokens."""
