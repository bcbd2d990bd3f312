"""Switches of the ARM plane: what is not known of it, known to be so at some times only, or wanted small in tests."""

from __future__ import annotations

from emulator.switch import Switch

SWITCHES: tuple[Switch, ...] = (
    Switch(
        name="arm.budget-reads",
        default=12000,
        about="Reads a caller may make in a subscription in one minute before 429.",
        known="Token buckets per subscription and principal; their sizes change.",
        source="Microsoft Learn: how Azure Resource Manager throttles requests",
    ),
    Switch(
        name="arm.budget-writes",
        default=1200,
        about="Writes a caller may make in a subscription in one minute before 429.",
        known="Token buckets per subscription and principal; their sizes change.",
        source="Microsoft Learn: how Azure Resource Manager throttles requests",
    ),
)
