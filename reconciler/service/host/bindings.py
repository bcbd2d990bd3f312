"""What a function app declares, as data: triggers and outputs, with ``%NAME%`` resolved from settings.

The azure-functions package keeps each binding as an object that can say itself as the dictionary which the
Functions host gets (`get_dict_repr`); that dictionary is the contract, here as there.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

_SETTING = re.compile(r"%([^%]+)%")


class BindingError(ValueError):
    """A declaration that cannot be served: one line, naming function and setting."""


@dataclass(frozen=True, slots=True)
class QueueOutput:
    """Messages that a function puts on a queue."""

    argument: str
    queue: str


@dataclass(frozen=True, slots=True)
class Served:
    """One function: what starts it, and where its outputs go."""

    name: str
    call: Callable[..., Any]
    trigger: str
    """``httpTrigger``, ``timerTrigger`` or ``queueTrigger``."""
    argument: str
    details: Mapping[str, Any]
    """The trigger's binding, resolved: ``route`` and ``methods``, ``schedule``, or ``queueName``."""
    outputs: tuple[QueueOutput, ...] = ()
    wants_context: bool = False
    """Whether the function has a parameter `context`, which the platform fills in by its name."""


class Declared(Protocol):
    """What the azure-functions package gives for a function."""

    def get_function_name(self) -> str | None:
        """Its name in the app."""

    def get_bindings(self) -> Iterable[Any]:
        """Its bindings; each has `get_dict_repr`."""

    def get_user_function(self) -> Callable[..., Any]:
        """The function itself."""


def read(functions: Iterable[Declared], settings: Mapping[str, str]) -> tuple[Served, ...]:
    """All functions of an app, sorted by name; `BindingError` where one cannot be served."""
    return tuple(sorted((_served(function, settings) for function in functions), key=lambda served: served.name))


def _served(function: Declared, settings: Mapping[str, str]) -> Served:
    name = function.get_function_name() or ""
    bindings = [_resolved(binding.get_dict_repr(), name, settings) for binding in function.get_bindings()]
    triggers = [binding for binding in bindings if binding["type"].endswith("Trigger")]
    if len(triggers) != 1 or triggers[0]["type"] not in ("httpTrigger", "timerTrigger", "queueTrigger"):
        kinds = ", ".join(sorted(binding["type"] for binding in bindings))
        raise BindingError(f"{name}: one http, timer or queue trigger is served, this function has: {kinds}")
    outputs = tuple(
        QueueOutput(binding["name"], binding["queueName"]) for binding in bindings if binding["type"] == "queue"
    )
    (trigger,) = triggers
    call = function.get_user_function()
    wants_context = "context" in inspect.signature(call).parameters
    return Served(name, call, trigger["type"], trigger["name"], trigger, outputs, wants_context)


def _resolved(binding: Mapping[str, Any], function: str, settings: Mapping[str, str]) -> dict[str, Any]:
    return {key: _value(value, function, settings) for key, value in binding.items()}


def _value(value: Any, function: str, settings: Mapping[str, str]) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(item, function, settings) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        if match[1] not in settings:
            raise BindingError(f"{function}: the setting {match[1]} is missing; its binding needs a value")
        return settings[match[1]]

    return _SETTING.sub(replace, value)
