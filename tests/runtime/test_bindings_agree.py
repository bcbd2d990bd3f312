"""The bindings as data, against everything that speaks of them: host.json, settings, the OpenAPI document, the docs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import function_app
from reconciler.adapters.azure_storage.queue import decode, encode
from reconciler.adapters.store_limits import ATTEMPTS
from reconciler.config.settings import PREFIX as OURS
from reconciler.config.settings import Settings
from reconciler.config.triggers import BOUND, VARIABLES, Hosting
from reconciler.errors import ReconcilerError
from reconciler.service.host.bindings import read
from reconciler.service.host.host import ServeOptions
from reconciler.service.host.http import path_of
from reconciler.service.host.timers import schedule_of
from reconciler.service.triggers import pages
from reconciler.service.triggers.composition import BEFORE_TIMEOUT
from reconciler.service.triggers.web import _HANDLERS

ROOT = Path(__file__).parents[2]
HOST = json.loads((ROOT / "host.json").read_text())
OPENAPI = json.loads((ROOT / "reconciler/service/http/openapi.json").read_text())
PAGE = (ROOT / "docs/hosting.md").read_text()
DECLARED = function_app.app.get_functions()
FUNCTIONS = {
    function.get_function_name() or "": [binding.get_dict_repr() for binding in function.get_bindings()]
    for function in DECLARED
}


PAGES = frozenset(pages.HANDLERS)
"""Functions for browsers: no part of the API, and without a function key."""


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: binding for name, found in FUNCTIONS.items() for binding in found if binding["type"] == kind}


def test_every_name_in_a_binding_is_a_setting_and_every_such_setting_is_bound() -> None:
    named = {match for found in FUNCTIONS.values() for match in re.findall(r"%(\w+)%", json.dumps(found, default=str))}

    assert named == {OURS + name for name in BOUND}


def test_every_queue_is_reached_over_the_one_connection() -> None:
    bindings = [*of_type("queueTrigger").values(), *of_type("queue").values()]

    assert {binding["connection"] for binding in bindings} == {"RECONCILER_STORAGE"}


def test_every_queue_that_is_listened_to_has_its_poison_listened_to() -> None:
    queues = {binding["queueName"] for binding in of_type("queueTrigger").values()}
    plain = {name for name in queues if not name.endswith("-poison")}

    assert queues == plain | {f"{name}-poison" for name in plain}
    assert {binding["queueName"] for binding in of_type("queue").values()} <= plain


def test_the_app_can_be_served_with_the_defaults_alone() -> None:
    served = read(DECLARED, Hosting.read({}).bound)

    assert len(served) == len(FUNCTIONS)
    assert [schedule_of(one) for one in served if one.trigger == "timerTrigger"]


def test_host_json_and_the_adapters_count_encode_and_time_alike() -> None:
    queues = HOST["extensions"]["queues"]

    assert queues["maxDequeueCount"] == ATTEMPTS
    assert (queues["messageEncoding"], decode(encode("ä"))) == ("base64", "ä")
    assert queues["visibilityTimeout"] == f"00:00:{ServeOptions().retry:02.0f}"
    assert HOST["functionTimeout"] == "00:05:00"
    assert Settings.read({}).budget < BEFORE_TIMEOUT < 300


def test_routes_and_methods_are_those_of_the_document() -> None:
    bound = {
        (f"/{binding['route']}", str(getattr(method, "value", method)).lower())
        for name, binding in of_type("httpTrigger").items()
        if name not in PAGES
        for method in binding["methods"]
    }
    documented = {
        (path, method) for path, item in OPENAPI["paths"].items() for method in item if method != "parameters"
    }

    assert bound == documented
    assert HOST["extensions"]["http"]["routePrefix"] == ""


def test_pages_are_outside_of_the_api_and_one_is_at_the_root() -> None:
    """An empty route would be the function's name; the host takes an optional part of no characters for the root."""
    routes = {name: str(binding["route"]) for name, binding in of_type("httpTrigger").items() if name in PAGES}

    assert not [name for name, route in routes.items() if route.startswith("api/")]
    assert {name: path_of(route) for name, route in routes.items()} == {
        "page_overview": "/",
        "page_organization": "/organizations/{name}",
        "page_pool": "/pools/{name}",
        "page_reconcile": "/pools/{name}/reconcile",
        "page_plan": "/pools/{name}/plan",
        "page_pause": "/pools/{name}/pause",
        "page_file": "/assets/{name}",
    }


def test_what_needs_no_function_key_says_so_in_the_document_and_nothing_else_does() -> None:
    """A lock that is missing on one side only is found here, and not in production."""
    open_here = {name for name, binding in of_type("httpTrigger").items() if _level(binding) == "anonymous"}
    operations = [item[method] for item in OPENAPI["paths"].values() for method in item if method != "parameters"]
    open_there = {operation["operationId"] for operation in operations if "security" in operation}

    assert open_here - PAGES == open_there == {"health", "openapi", "github_push", "azure_repos_push"}
    assert open_here >= PAGES
    assert {_level(binding) for binding in of_type("httpTrigger").values()} == {"anonymous", "function"}


def _level(binding: dict[str, Any]) -> str:
    return str(getattr(binding["authLevel"], "value", binding["authLevel"])).lower()


def test_every_http_function_has_a_handler_and_the_operation_of_its_name() -> None:
    operations = {
        item[method]["operationId"] for item in OPENAPI["paths"].values() for method in item if method != "parameters"
    }

    assert set(of_type("httpTrigger")) == set(_HANDLERS) == operations | PAGES


def test_the_page_lists_every_function_once() -> None:
    table = PAGE.split("## Functions", 1)[1].split("\n## ", 1)[0]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]

    assert sorted(re.findall(r"`(\w+)`", "".join(first))) == sorted(FUNCTIONS)


def test_the_page_lists_every_setting_of_the_triggers() -> None:
    """`tests/config/test_settings.py` compares the rows."""
    listed = PAGE.split("## Settings", 1)[1].split("\n## ", 1)[0]

    assert re.findall(rf"^\| `{OURS}(\w+)` \|", listed, re.MULTILINE) == [v.name for v in VARIABLES]


def test_the_page_says_of_host_json_what_stands_there() -> None:
    table = PAGE.split("## host.json", 1)[1].split("\n## ", 1)[0]
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", table.replace("| empty |", "| `` |"), re.MULTILINE))
    queues = HOST["extensions"]["queues"]

    assert said == {
        "functionTimeout": HOST["functionTimeout"],
        "routePrefix": HOST["extensions"]["http"]["routePrefix"],
        **{
            name: str(queues[name])
            for name in ("maxDequeueCount", "visibilityTimeout", "maxPollingInterval", "messageEncoding")
        },
    }
    assert f"`{queues['batchSize']}`, `{queues['newBatchThreshold']}`" in table


def test_the_page_names_every_event_that_is_logged() -> None:
    """Metrics have a table of their own, in docs/operations.md: tests/telemetry/test_names.py."""
    sources = "".join(path.read_text() for path in (ROOT / "reconciler").rglob("*.py"))
    events = set(re.findall(r'(?<![\w.])(?:logs\.)?event\(\s*"(\w+)"', sources))

    table = PAGE.split("with `event`:", 1)[1].split("\n## ", 1)[0]
    assert events == set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


@pytest.mark.parametrize("module", [
    "pydantic", "yaml", "requests", "azure.identity", "azure.core", "azure.storage", "azure.devops", "azure.mgmt", "dulwich",
    "msrest", "sqlite3", "aiohttp", "opentelemetry", "psutil", "jinja2",
])  # fmt: skip
def test_importing_the_app_imports_nothing_heavy(module: str) -> None:
    assert not [name for name in _imported() if name == module or name.startswith(f"{module}.")]


def test_building_the_context_of_the_triggers_loads_no_template_engine() -> None:
    """A page alone waits for it: the first event after a cold start does not."""
    assert not [name for name in _loaded("reconciler.service.triggers.composition") if name.startswith("jinja2")]
    assert [name for name in _loaded("reconciler.service.page.views") if name == "jinja2"] == ["jinja2"]


def test_importing_the_app_imports_none_of_our_modules_and_few_at_all() -> None:
    """What comes on top of azure.functions is the app itself."""
    assert [name for name in _imported() if name.partition(".")[0] in ("reconciler", "emulator")] == []
    assert set(_imported()) - set(_loaded("azure.functions")) <= {"function_app"}


_SEEN: dict[str, list[str]] = {}


def _loaded(module: str) -> list[str]:
    if module not in _SEEN:
        code = f"import typing, {module}, sys; print(*sorted(sys.modules))"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        _SEEN[module] = done.stdout.split()
    return _SEEN[module]


def _imported() -> list[str]:
    return _loaded("function_app")


BAD = [
    ({"WORK_QUEUE": "Work"}, "RECONCILER_WORK_QUEUE: 'Work' is no queue name"),
    ({"SWEEP_QUEUE": "a--b"}, "RECONCILER_SWEEP_QUEUE: 'a--b' is no queue name"),
    ({"SWEEP_SECONDS": "0"}, "RECONCILER_SWEEP_SECONDS: '0' is not a whole number from 1 to 86400"),
    ({"APP_ROL": "x"}, "RECONCILER_APP_ROL: no such setting; the nearest is RECONCILER_APP_ROLE"),
    ({"AUDIT_ENDPOINT": "https://elsewhere.example"}, "RECONCILER_AUDIT_ENDPOINT: 'https://elsewhere.example' is not https on one of auditservice.dev.azure.com"),
    ({"AUDIT_ENDPOINT": "http://127.0.0.1:1"}, "RECONCILER_AUDIT_ENDPOINT: 'http://127.0.0.1:1' is on loopback"),
    ({"GITHUB_SECRET": "@Microsoft.KeyVault(SecretUri=x)"}, "RECONCILER_GITHUB_SECRET: a reference to a Key Vault that was not"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "line"), BAD)
def test_a_wrong_setting_is_one_line(given: dict[str, str], line: str) -> None:
    with pytest.raises(ReconcilerError) as raised:
        Hosting.read({OURS + name: value for name, value in given.items()})

    assert str(raised.value).startswith(line)


def test_settings_of_both_tables_can_stand_side_by_side() -> None:
    """Neither table takes the other's names for misspelt ones of its own."""
    given = {OURS + v.name: v.default or "x" for v in VARIABLES}
    given |= {OURS + v.name: "" for v in VARIABLES if v.name.startswith("NOTIFY_")}  # none is "x"
    given |= {"RECONCILER_STORAGE__accountName": "x", "RECONCILER_SPECS": "specs", "RECONCILER_POLICY": "p"}

    assert Settings.read(given).specs == "specs"
    assert Hosting.read(given).app_role == "x"
    assert "x" not in repr(Hosting.read(given).github_secrets)
