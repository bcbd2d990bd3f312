"""Whatever escapes from a package is one error of ours at the port: at each method of each class that implements one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any

import pytest

import reconciler.adapters
import reconciler.ports
from reconciler.adapters import boundary
from reconciler.adapters.devops.audit import DevOpsAuditLog
from reconciler.errors import Unavailable
from reconciler.ports.clock import Clock
from reconciler.service.triggers.context import AuditLog

SECRET = "canary-of-an-answer"


def _modules(package: ModuleType) -> list[ModuleType]:
    names = [one.name for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [importlib.import_module(name) for name in names]


def _classes(package: ModuleType) -> list[type]:
    found = [one for module in _modules(package) for _, one in inspect.getmembers(module, inspect.isclass)]
    return sorted({one for one in found if one.__module__.startswith(package.__name__)}, key=lambda one: one.__name__)


def _parameters(method: Any) -> list[str]:
    return [name.rstrip("_") for name in inspect.signature(method).parameters]


def _implements(one: type, protocol: type) -> bool:
    """By name and parameters, as a type checker would see it."""
    return all(
        callable(getattr(one, name, None)) and _parameters(getattr(one, name)) == _parameters(getattr(protocol, name))
        for name in boundary.methods(protocol)
    )


PROTOCOLS = [one for one in _classes(reconciler.ports) if getattr(one, "_is_protocol", False) and one is not Clock]
OWNED = "reconciler.adapters.owned."
"""Wrappers that call ports alone: no package is below them, and what escapes from them is a mistake of ours."""
OUTERMOST = [one for one in _classes(reconciler.adapters) if not one.__module__.startswith(OWNED)]
PAIRS = [
    *((one, protocol) for protocol in PROTOCOLS for one in OUTERMOST if _implements(one, protocol)),
    (DevOpsAuditLog, AuditLog),
]
METHODS = [(one, name) for one, protocol in PAIRS for name in boundary.methods(protocol)]


def test_each_port_has_its_implementations() -> None:
    """Those of this list are found by their methods, so a new one cannot be left out."""
    found = {protocol.__name__: {one.__name__ for one, other in PAIRS if other is protocol} for protocol in PROTOCOLS}
    assert found.pop("StoreOwnership") == set(), "what a store's wrapper knows of itself"

    assert found == {
        "ArmReader": {"Arm"},
        "ArmWriter": {"ArmWrites"},
        "AzureResourcesReader": {"AzureResources"},
        "CodeHost": {"AzureRepos", "GitHub"},
        "DevOpsReader": {"DevOps"},
        "DevOpsWriter": {"DevOpsWrites"},
        "Gates": {"GateClosings"},
        "Lease": {"LocalLease", "StorageLease"},
        "Leases": {"LocalLeases", "StorageLeases"},
        "MembershipReader": {"Memberships"},
        "MembershipWriter": {"MembershipWrites"},
        "MessageQueue": {"LocalQueue", "StorageQueue"},
        "MessageQueues": {"Local", "Storage"},
        "NoticeSender": {"WebhookSender"},
        "RawDevOpsReader": {"RawDevOps"},
        "SpecBranches": {"RemoteRepository"},
        "SpecSource": {"Folder", "Git"},
        "StateStore": {"LocalState", "StorageState"},
        "SubscriptionReader": {"Arm", "ArmInspection", "AzureResources"},
        "WriteLog": {"LocalWriteLog", "StorageWriteLog"},
    }


@pytest.mark.parametrize(("one", "name"), METHODS, ids=[f"{one.__name__}.{name}" for one, name in METHODS])
def test_what_escapes_becomes_one_error(one: type, name: str) -> None:
    """Everything below the method raises: its object has no attribute that does not."""

    def fails(*_: object) -> Any:
        raise RuntimeError(f"a package's own words: {SECRET}")

    broken = type("Broken", (one,), {"__slots__": (), "__getattr__": fails})
    method = getattr(object.__new__(broken), name)
    arguments: dict[str, Any] = {
        parameter.name: _Failing() for parameter in inspect.signature(method).parameters.values()
    }

    with pytest.raises(Unavailable, match=boundary.ESCAPED) as raised:
        _run(method, arguments)
    assert SECRET not in str(raised.value)


def _run(method: Any, arguments: dict[str, Any]) -> None:
    made = method(**arguments)
    list(made if inspect.isgenerator(made) else ())


class _Failing:
    """An argument that fails wherever it is used."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(SECRET)

    def __iter__(self) -> Any:
        raise RuntimeError(SECRET)
