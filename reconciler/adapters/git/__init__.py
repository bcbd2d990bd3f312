"""Specs from git: a remote, a local clone, or a plain folder."""
