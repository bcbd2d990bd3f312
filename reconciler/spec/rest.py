"""What is left of a document when its broken parts are taken out, so that rules can speak of the rest.

A rule looks at several fields. Where one of them has the wrong type, only that is worth a line; where another pair of
fields contradicts, that should not wait for the next attempt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.spec.problem import Path

Tree = dict[str | int, Any]
"""Steps of paths, grouped: step → tree of what follows; a path that ends leaves an empty tree."""


def tree(paths: Iterable[Path]) -> Tree:
    """The paths, grouped by their beginnings."""
    root: Tree = {}
    for path in paths:
        node = root
        for step in path:
            node = node.setdefault(step, {})
    return root


def holds(root: Tree, path: Path) -> bool:
    """Whether some path begins with this one."""
    for step in path:
        if step not in root:
            return False
        root = root[step]
    return True


def without(value: Any, broken: Tree) -> Any:
    """A copy without what the tree names; a list of which an entry is broken goes as a whole."""
    if not broken:
        return value
    if isinstance(value, list):
        return [without(one, broken.get(index, {})) for index, one in enumerate(value)]
    return {key: without(item, broken.get(key, {})) for key, item in value.items() if not gone(item, broken.get(key))}


def gone(item: Any, broken: Mapping[str | int, Any] | None) -> bool:
    """Whether a field is broken itself, or is a list with a broken entry."""
    if broken is None:
        return False
    return not broken or (isinstance(item, list) and not all(broken.values()))
