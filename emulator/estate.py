"""The estate file: who and what there is when the emulator starts. The same form comes back as the dump.

Three parts: `principals` (emulator.principals), `subscriptions` (emulator.arm.estate) and `organizations`
(emulator.devops.estate). A mistake is one line with file, place and remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from emulator.arm import estate as arm
from emulator.devops import estate as devops
from emulator.documents import Json
from emulator.principals import KINDS, Principals
from emulator.principals import read as read_principal
from emulator.world import World

PARTS = ("principals", "subscriptions", "organizations")


class EstateError(ValueError):
    """An estate that cannot be used; one line with place and remedy."""


def read(source: Path | Mapping[str, Json]) -> dict[str, Json]:
    """The document of a YAML or JSON file, or the mapping itself, with its parts checked."""
    if isinstance(source, Mapping):
        document, name = dict(source), "estate"
    else:
        document, name = _parse(Path(source)), str(source)
    try:
        _check(document)
    except EstateError as error:
        raise EstateError(f"{name}: {error}") from None
    return document


def populate(world: World, document: Mapping[str, Json], *, name: str = "estate") -> None:
    """Put the estate into the world, in place of what was there; EstateError leaves the world half-filled."""
    world.agenda.clear()
    try:
        world.principals = Principals(read_principal(raw) for raw in document.get("principals") or ())
        world.arm = arm.load(dict(document), world)
        world.devops = devops.load(dict(document), world)
    except (KeyError, TypeError, AttributeError) as error:
        raise EstateError(f"{name}: {type(error).__name__}: {error}; see docs/emulator.md for its form") from error
    except ValueError as error:
        raise EstateError(f"{name}: {str(error).removeprefix('estate: ')}") from error


def dump(world: World) -> dict[str, Json]:
    """The world as an estate document."""
    return {
        "principals": [principal.dump() for principal in world.principals],
        **arm.dump(world),
        **devops.dump(world),
    }


def _parse(path: Path) -> dict[str, Json]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EstateError(f"{path}: {error.strerror}; give the path of an estate file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise EstateError(f"{path}: {' '.join(str(error).split())}; correct the YAML") from error
    if not isinstance(document, dict):
        raise EstateError(f"{path}: the file is no mapping; it needs {', '.join(PARTS)}")
    return document


def _check(document: Mapping[str, Json]) -> None:
    for part, value in document.items():
        if part not in PARTS:
            raise EstateError(f"{part}: not a part of an estate; there are {', '.join(PARTS)}")
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise EstateError(f"{part}: must be a list of mappings, each entry with a `-` of its own")
    names: set[str] = set()
    for index, raw in enumerate(document.get("principals") or ()):
        where = f"principals[{index}]"
        if not isinstance(raw.get("name"), str) or not raw["name"]:
            raise EstateError(f"{where}: has no name; add `name: …`")
        if raw.get("kind", "user") not in KINDS:
            raise EstateError(f"{where}.kind: {raw['kind']!r} is not one of {', '.join(KINDS)}")
        if raw["name"] in names:
            raise EstateError(f"{where}.name: {raw['name']!r} is there twice; names of principals are unique")
        names.add(raw["name"])
