"""The managed aspects, one module each."""
