"""Nodes of a YAML file: which kind of value they hold, and on which line."""

from __future__ import annotations

from typing import Any, TypeAlias

import yaml

Problem: TypeAlias = tuple[Any, str]
"""A node, and what is wrong there."""

STRING, BOOL, INT, SEQUENCE, MAPPING = ("tag:yaml.org,2002:" + kind for kind in ("str", "bool", "int", "seq", "map"))


def line_of(node: Any) -> int:
    """The line of a node, from 1."""
    return int(node.start_mark.line) + 1


def name_of(key: Any) -> str:
    """The name that a key is; of a list or a mapping a word for it."""
    return str(key.value) if isinstance(key, yaml.ScalarNode) else "a key that is no text"


def is_text(node: Any) -> bool:
    """Whether it is text that is not blank."""
    return isinstance(node, yaml.ScalarNode) and node.tag == STRING and bool(node.value.strip())


def is_flag(node: Any) -> bool:
    """Whether it is true or false."""
    return isinstance(node, yaml.ScalarNode) and node.tag == BOOL


def flag(node: Any) -> bool:
    """The value of a node for which `is_flag` holds."""
    return node.value.casefold() in ("true", "yes", "on")


def whole_number(node: Any, most: int) -> int | None:
    """A number from 0 to `most`, written in plain decimal digits; None for anything else."""
    if not isinstance(node, yaml.ScalarNode) or node.tag != INT or not node.value.isdecimal():
        return None
    text = node.value
    if len(text) > len(str(most)) or str(int(text)) != text or int(text) > most:
        return None
    return int(text)
