"""Why something of the world is not put into a spec."""

from __future__ import annotations


class CannotAdopt(Exception):
    """One change is not adopted: the reason, for people."""
