"""What infra/ sets is what the code and host.json use: names, settings, schedules, paths, roles, filters."""

from __future__ import annotations

import base64
import functools
import importlib.util
import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

import function_app
from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.adapters.storage import Names
from reconciler.events import pools
from reconciler.hosting import BOUND, VARIABLES, Hosting, state
from reconciler.settings import PREFIX, CredentialKind, Settings, TelemetryKind
from reconciler.web.access import require_role
from reconciler.web.message import Problem
from tests.infra import bicep
from tests.infra.bicep import INFRA, Expression

ROOT = INFRA.parent
FILES = bicep.templates()
NAMES: dict[str, Any] = json.loads((INFRA / "names.json").read_text())
HOST: dict[str, Any] = json.loads((ROOT / "host.json").read_text())
DEFAULTS = {PREFIX + variable.name: variable.default for variable in VARIABLES}
ENDPOINTS = {
    "hostStorage.blobEndpoint": "https://stx.blob.core.windows.net/",
    "hostStorage.queueEndpoint": "https://stx.queue.core.windows.net/",
    "hostStorage.tableEndpoint": "https://stx.table.core.windows.net/",
    "workStorage.blobEndpoint": "https://stx.blob.core.windows.net/",
    "workStorage.queueEndpoint": "https://stx.queue.core.windows.net/",
    "identityClientId": "11111111-2222-3333-4444-555555555555",
    "specs": "https://dev.azure.com/fabrikam/p/_git/pools#main:specs",
    "policyFile": "",
    "insightsConnectionString": "InstrumentationKey=1;IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/",
}


def environment() -> dict[str, str]:
    """The app's settings as Azure would fill them in; `vaultUri` stays as it is."""
    plain = FILES["main.bicep"].variables["plain"].value
    connections = FILES["modules/app.bicep"].variables["connections"].value
    given: dict[str, Any] = {**connections, **plain, **NAMES["queues"], **NAMES["schedules"], **NAMES["telemetry"]}
    return {name: _filled(value) for name, value in given.items()}


def _filled(value: object) -> str:
    if not isinstance(value, Expression):
        return str(value)
    default = FILES["main.bicep"].params.get(str(value))
    return ENDPOINTS.get(str(value)) or (str(default.value) if default and default.value else "")


@functools.cache
def functions() -> list[Any]:
    """The app's functions, of a copy of the module: an app can be asked for them once."""
    place = importlib.util.spec_from_file_location("function_app_of_names", function_app.__file__)
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return list(module.app.get_functions())


def trigger(function: Any) -> dict[str, Any]:
    found = json.loads(function.get_function_json())["bindings"]
    return next(binding for binding in found if binding["type"].endswith("rigger"))


def test_the_app_gets_every_name_that_stands_in_a_binding_and_in_the_form_of_the_defaults() -> None:
    """`serve` and Azure then use the same names, and a %NAME% that is not set would keep the host from starting."""
    given = {**NAMES["queues"], **NAMES["schedules"]}

    assert set(given) == {PREFIX + name for name in BOUND} | {PREFIX + "SWEEP_SECONDS"}
    assert given == {name: DEFAULTS[name] for name in given}


def test_every_name_in_a_binding_is_set() -> None:
    asked = {name for function in functions() for name in re.findall(r"%(\w+)%", function.get_function_json())}

    assert asked == {PREFIX + name for name in BOUND}


def test_a_sweep_is_spread_over_the_interval_of_its_schedule() -> None:
    minutes = re.fullmatch(r"0 \*/(\d+) \* \* \* \*", NAMES["schedules"]["RECONCILER_SWEEP_SCHEDULE"])

    assert minutes is not None
    assert int(minutes[1]) * 60 == int(NAMES["schedules"]["RECONCILER_SWEEP_SECONDS"])


def test_the_settings_of_the_template_are_settings_that_the_program_takes() -> None:
    """Read by the program's own readers: a misspelt name, a bad URL or a missing identity is refused here."""
    given = environment()
    settings, hosting = Settings.read(given, beneath=state(given)), Hosting.read(given)

    assert settings.credential is CredentialKind.MANAGED
    assert settings.client_id == ENDPOINTS["identityClientId"]
    assert settings.telemetry is TelemetryKind.AZURE
    assert settings.insights == ENDPOINTS["insightsConnectionString"]
    assert settings.state == "https://stx.blob.core.windows.net/ https://stx.queue.core.windows.net/"
    assert bootstrap.in_storage(settings.state)
    assert bootstrap.store(settings, SystemClock()) is not None
    assert hosting.app_role == "Reconciler.Operate"
    assert hosting.work_queue == NAMES["queues"]["RECONCILER_WORK_QUEUE"]


def test_every_setting_of_ours_is_one_that_the_program_knows() -> None:
    secrets = [FILES["main.bicep"].variables[name].value for name in ("gitToken", "githubSecret", "azureReposSecret")]
    named = {name for text in map(str, secrets) for name in re.findall(r"RECONCILER_\w+", text)}
    ours = {name for name in {*environment(), *named} if name.startswith(PREFIX)}
    known = set(DEFAULTS) | {PREFIX + variable.name for variable in _settings_variables()}
    bindings = {
        "RECONCILER_STORAGE__" + part for part in ("blobServiceUri", "queueServiceUri", "credential", "clientId")
    }

    assert ours - bindings - known == set()
    assert bindings <= ours
    assert {re.sub(r"__\w+", "", name) for name in bindings} == {function_app.CONNECTION}


def _settings_variables() -> tuple[Any, ...]:
    from reconciler import settings  # noqa: PLC0415 - its table has the name of hosting's

    return settings.VARIABLES


def test_no_output_passes_for_a_setting() -> None:
    """Azd makes variables of outputs, and hooks and shells inherit them."""
    assert [name for name in FILES["main.bicep"].outputs if name.startswith(PREFIX)] == []


def test_lines_that_alerts_rest_on_are_not_sampled_away() -> None:
    """A sweep whose line was left out would look like one that did not happen."""
    sampling = HOST["logging"]["applicationInsights"]["samplingSettings"]

    assert not sampling["isEnabled"] or {"Request", "Exception", "Trace"} <= set(sampling["excludedTypes"].split(";"))


def test_secrets_come_from_the_vault_alone() -> None:
    """A secret among the parameters would stay in the deployment's history."""
    secret = {PREFIX + variable.name for variable in (*VARIABLES, *_settings_variables()) if variable.secret}
    main = FILES["main.bicep"].text

    assert secret & set(environment()) == set()
    for name in sorted(secret):
        for written in re.findall(rf"{name}: (.*)", main):
            assert written.startswith("'@Microsoft.KeyVault(SecretUri=${vaultUri}/"), name


def test_the_storage_account_has_every_queue_with_its_poison_queue_and_every_container() -> None:
    params = FILES["main.bicep"].modules["storage"].value["params"]
    triggers = [trigger(function).get("queueName", "") for function in functions()]
    bound = {re.sub(r"%(\w+)%", lambda found: NAMES["queues"][found[1]], name) for name in triggers if name}

    assert bound == {queue + end for queue in NAMES["queues"].values() for end in ("", NAMES["poison"])}
    assert params["queues"] == Expression("concat(queues, poison)")
    assert params["containers"] == [
        Expression(f"names.{name}") for name in ("stateContainer", "deploymentContainer", "deadLetterContainer")
    ]
    assert NAMES["stateContainer"] == Names().container


def test_only_dead_letters_expire() -> None:
    """The rule deletes by prefix: a state container whose name begins alike would lose its blobs."""
    assert FILES["main.bicep"].modules["storage"].value["params"]["expiring"] == Expression("names.deadLetterContainer")
    others = (NAMES["stateContainer"], NAMES["deploymentContainer"])
    assert not any(name.startswith(NAMES["deadLetterContainer"]) for name in others)


def test_the_two_apps_know_every_function() -> None:
    """A function that no list names would run in both apps: on the ingress with rights that it does not have."""
    by_http = {each.get_function_name() for each in functions() if trigger(each)["type"] == "httpTrigger"}
    others = {each.get_function_name() for each in functions()} - by_http

    assert set(NAMES["httpFunctions"]) == by_http
    assert set(NAMES["otherFunctions"]) == others
    assert set(NAMES["notOnIngress"]) <= by_http


def test_the_paths_without_sign_in_are_those_of_the_functions_that_have_a_lock_of_their_own() -> None:
    """Webhooks cannot sign in; everything else must."""
    prefix = HOST["extensions"]["http"]["routePrefix"]
    anonymous = [trigger(each) for each in functions() if trigger(each).get("authLevel") == "ANONYMOUS"]

    assert set(NAMES["openPaths"]) == {f"/{prefix}/{each['route']}" for each in anonymous}


def test_the_app_role_of_the_registration_is_the_one_that_the_program_asks_for() -> None:
    (role,) = json.loads((INFRA / "app-roles.json").read_text())
    asked = environment()["RECONCILER_APP_ROLE"]

    def header(value: str) -> dict[str, str]:
        claims = {"claims": [{"typ": "roles", "val": value}]}
        return {"x-ms-client-principal": base64.b64encode(json.dumps(claims).encode()).decode()}

    assert role["value"] == asked
    assert {"Application", "User"} == set(role["allowedMemberTypes"])
    require_role(header(role["value"]), asked, platform_authenticates=True)
    with pytest.raises(Problem, match="authentication"):
        require_role(header(role["value"]), asked, platform_authenticates=False)


def _subscription() -> dict[str, Any]:
    properties: dict[str, Any] = FILES["modules/pool-events.bicep"].resources["changes"].value["properties"]
    return properties


def test_what_passes_the_filter_is_what_the_program_makes_keys_of() -> None:
    """Each event type of the filter, with each operation of the filter, as Event Grid would deliver it."""
    chosen = _subscription()["filter"]
    (narrow,) = chosen["advancedFilters"]
    group = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.DevOpsInfrastructure"
    for kind, operation in product(chosen["includedEventTypes"], narrow["values"]):
        event = {
            "id": "1", "topic": "/subscriptions/s", "subject": f"{group}/pools/web", "eventType": kind,
            "eventTime": "2026-01-01T00:00:00Z", "dataVersion": "2", "metadataVersion": "1",
            "data": {"operationName": operation, "resourceUri": f"{group}/pools/web"},
        }  # fmt: skip

        assert pools.pool_keys(json.dumps([event])).keys == ("web",), kind
    assert narrow["key"] == "data.operationName"
    assert {kind.lower() for kind in chosen["includedEventTypes"]} == {
        kind for kind in pools._TYPES if kind.startswith("microsoft.resources.")
    }


def test_events_come_in_the_schema_and_encoding_that_the_program_and_its_host_read() -> None:
    """Event Grid writes queue messages in base64 (Azure SDK, samples of azure-eventgrid), the host must expect that."""
    for path in ("modules/pool-events.bicep", "modules/audit-events.bicep"):
        (subscription,) = [each for each in FILES[path].resources.values() if not each.existing]

        assert subscription.value["properties"]["eventDeliverySchema"] == "EventGridSchema"
    assert HOST["extensions"]["queues"]["messageEncoding"] == "base64"


def test_each_stream_goes_to_its_own_queue_and_its_sender_may_write_there() -> None:
    modules = FILES["main.bicep"].modules
    for events, sender, queue in (
        ("poolEvents", "poolSender", "RECONCILER_POOL_EVENTS_QUEUE"),
        ("auditEvents", "auditSender", "RECONCILER_DEVOPS_EVENTS_QUEUE"),
    ):
        wanted = Expression(f"names.queues.{queue}")

        assert modules[events].value["params"]["queueName"] == wanted
        assert modules[sender].value["params"]["queueName"] == wanted
        assert modules[events].value["dependsOn"] == [Expression(sender)]


ROLES = {
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "DevOps Infrastructure Contributor": "76153a9e-0edb-49bc-8e01-93c47e6b5180",
    "Managed Identity Operator": "f1a07417-d97a-45cb-824c-7a7467783830",
    "Key Vault Certificate User": "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Queue Data Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
"""Microsoft Learn, "Azure built-in roles"; checked a second time, by hand, when this table was written."""


def test_roles_have_the_published_ids_and_every_one_is_used() -> None:
    """A wrong id is another role."""
    text = "".join(file.text for file in FILES.values())
    used = set(re.findall(r"(?:roles|ids)(?:\['([^']+)'\]|\.(\w+))", text))

    assert json.loads((INFRA / "roles.json").read_text())["ids"] == ROLES
    assert {first or second for first, second in used} - {"ids", "json", "bicep"} == set(ROLES)


def test_only_enforce_mode_may_write_to_pools() -> None:
    modules = FILES["modules/roles.bicep"].modules

    assert FILES["main.bicep"].params["mode"].value == "report"
    assert modules["pools"].value["params"]["roleId"] == Expression(
        "enforcing ? roles['DevOps Infrastructure Contributor'] : roles.Reader"
    )
    assert {modules[name].condition for name in ("identities", "joiner", "joined", "certificates")} == {"(enforcing)"}


def test_the_ingress_may_enqueue_and_has_no_right_on_pools() -> None:
    ingress = FILES["modules/ingress.bicep"]
    main = FILES["main.bicep"].modules["ingressApp"].value["params"]
    granted = set(re.findall(r"roles\['([^']+)'\]", ingress.text))

    assert granted == {
        "Storage Blob Data Owner", "Storage Table Data Contributor", "Storage Queue Data Message Sender",
        "Storage Blob Data Contributor", "Monitoring Metrics Publisher", "Key Vault Secrets User",
    }  # fmt: skip
    assert ingress.modules["hostRoles"].value["params"]["accountName"] == Expression("storage.outputs.name")
    assert ingress.modules["sender"].value["params"]["accountName"] == Expression("work.name")
    assert main["queueName"] == Expression("names.queues.RECONCILER_WORK_QUEUE")
    assert main["disabled"] == Expression("concat(names.otherFunctions, names.notOnIngress)")
    worker = FILES["main.bicep"].modules["app"].value["params"]
    assert worker["disabled"] == Expression("ingress ? names.httpFunctions : []")
    assert worker["reachable"] == Expression("!ingress")


def test_azure_runs_the_python_that_the_package_is_built_for() -> None:
    runtime = FILES["modules/app.bicep"].resources["site"].value["properties"]["functionAppConfig"]["runtime"]
    built = re.search(r'"--python", default="([\d.]+)"', (ROOT / "scripts" / "package.py").read_text())

    assert built is not None
    assert runtime == {"name": "python", "version": built[1]}


def test_azd_deploys_what_make_package_builds_to_the_app_with_its_tag() -> None:
    project = yaml.safe_load((ROOT / "azure.yaml").read_text())
    ((service, settings),) = project["services"].items()
    hook = project["hooks"]["prepackage"]["run"]

    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", project["name"])
    assert (Path(ROOT) / project["infra"]["path"] / f"{project['infra']['module']}.bicep").is_file()
    assert f"'azd-service-name': '{service}'" in FILES["main.bicep"].text
    assert (settings["host"], settings["remoteBuild"]) == ("function", False)
    assert hook.startswith("make package && ")
    assert f"dist/mdp-reconciler.zip {settings['dist']}" in hook
    assert 'ROOT / "dist" / "mdp-reconciler.zip"' in (ROOT / "scripts" / "package.py").read_text()
