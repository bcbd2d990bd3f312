"""What infra/ sets is what the code and host.json use: names, settings, schedules, paths, functions, event types."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import function_app
from reconciler import bootstrap
from reconciler.adapters.azure_storage.account import Names
from reconciler.adapters.clock import SystemClock
from reconciler.config import settings
from reconciler.config.settings import PREFIX, CredentialKind, Settings, TelemetryKind
from reconciler.config.triggers import BOUND, VARIABLES, Hosting, state
from reconciler.errors import ReconcilerError
from reconciler.service.events import pools
from reconciler.service.http.access import OWNER, READER, require_role
from reconciler.service.http.message import HttpProblem
from reconciler.spec.model import Mode, Spec
from tests.infra.bicep import Expression
from tests.infra.world import ROOT, Check, World, differ, module_at, unlike

DEFAULTS = {PREFIX + variable.name: variable.default for variable in VARIABLES}
SECRET = {PREFIX + variable.name for variable in (*VARIABLES, *settings.VARIABLES) if variable.secret}
CLIENT = "11111111-2222-3333-4444-555555555555"
STATE = "https://stx.blob.core.windows.net/ https://stx.queue.core.windows.net/"
FILLED = {
    **{
        f"{account}.{kind}Endpoint": f"https://stx.{kind}.core.windows.net/"
        for account in ("hostStorage", "workStorage")
        for kind in ("blob", "queue", "table")
    },
    "identityClientId": CLIENT,
    "specs": "https://dev.azure.com/fabrikam/p/_git/pools#main:specs",
    "environmentName": "dev",
    "insightsConnectionString": "InstrumentationKey=1;IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/",
}
"""What Azure would compute, for one deployment."""


def environment(world: World) -> dict[str, str]:
    """The worker's settings as Azure would fill them in, without the secrets."""
    plain = world.files["main.bicep"].variables["plain"].value
    connections = world.files["modules/app.bicep"].variables["connections"].value
    given: dict[str, Any] = {**connections, **plain}
    for part in ("queues", "schedules", "telemetry"):
        given |= world.names[part]
    return {name: _filled(world, value) for name, value in given.items()}


def _filled(world: World, value: object) -> str:
    if not isinstance(value, Expression):
        return str(value)
    default = world.files["main.bicep"].params.get(str(value))
    return FILLED.get(str(value)) or (str(default.value) if default and default.value else "")


@functools.cache
def functions() -> list[Any]:
    """The app's functions, of a copy of the module: an app can be asked for them once."""
    return list(module_at(ROOT / "function_app.py", "function_app_of_names").app.get_functions())


def trigger(function: Any) -> dict[str, Any]:
    """The binding that starts a function."""
    found = json.loads(function.get_function_json())["bindings"]
    return next(binding for binding in found if binding["type"].endswith("rigger"))


def bound_names(world: World) -> Iterator[str]:
    """`serve` and Azure use the same names, and a %NAME% that is not set would keep the host from starting."""
    given = {**world.names["queues"], **world.names["schedules"]}
    asked = {name for each in functions() for name in re.findall(r"%(\w+)%", each.get_function_json())}

    yield from differ("names.json: settings", set(given), asked | {PREFIX + "SWEEP_SECONDS"})
    yield from differ("names.json: bound", set(given) - {PREFIX + "SWEEP_SECONDS"}, {PREFIX + name for name in BOUND})
    for name, value in given.items():
        yield from unlike(f"names.json: {name}", value, DEFAULTS.get(name))


def sweep_interval(world: World) -> Iterator[str]:
    """A sweep is spread over the interval of its schedule."""
    schedules = world.names["schedules"]
    minutes = re.fullmatch(r"0 \*/(\d+) \* \* \* \*", schedules.get("RECONCILER_SWEEP_SCHEDULE", ""))
    wanted = str(int(minutes[1]) * 60) if minutes else "an interval of minutes"

    yield from unlike("names.json: RECONCILER_SWEEP_SECONDS", schedules.get("RECONCILER_SWEEP_SECONDS"), wanted)


def settings_taken(world: World) -> Iterator[str]:
    """Read by the program's own readers: a misspelt name, a bad URL or a missing identity is refused."""
    given = environment(world)
    try:
        read, hosting = Settings.read(given, beneath=state(given)), Hosting.read(given)
    except ReconcilerError as error:
        yield str(error)
        return
    parts = set(re.findall(r"names\.(\w+)", str(world.files["main.bicep"].variables["settings"].value)))
    yield from differ("main.bicep: settings", parts, {"queues", "schedules", "telemetry"})
    stored = bootstrap.in_storage(read.state) and bootstrap.store(read, SystemClock()) is not None

    yield from unlike("credential", read.credential, CredentialKind.MANAGED)
    yield from unlike("client id", read.client_id, CLIENT)
    yield from unlike("state", read.state, STATE)
    yield from unlike("state is kept in storage", stored, True)
    yield from unlike("telemetry", read.telemetry, TelemetryKind.AZURE)
    yield from unlike("insights", read.insights, FILLED["insightsConnectionString"])
    yield from unlike("specs", read.specs, FILLED["specs"])
    yield from unlike("deployment", read.deployment, FILLED["environmentName"])
    yield from unlike("work queue", hosting.work_queue, world.names["queues"].get("RECONCILER_WORK_QUEUE"))


def known_settings(world: World) -> Iterator[str]:
    """Every setting of ours is one that the program knows, and bindings use the connection that is set."""
    known = set(DEFAULTS) | {PREFIX + variable.name for variable in settings.VARIABLES}
    ours = {name for name in environment(world) if name.startswith(PREFIX)}
    bindings = {
        f"{function_app.CONNECTION}__{part}" for part in ("blobServiceUri", "queueServiceUri", "credential", "clientId")
    }

    yield from differ("settings that nobody knows", ours - known, bindings)


def host_storage(world: World) -> Iterator[str]:
    """The host's own connection: all three services, by the identity (Learn, "Connect to host storage with an identity")."""
    given = {name: value for name, value in environment(world).items() if name.startswith("AzureWebJobsStorage")}
    wanted = {
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__clientId": CLIENT,
        **{
            f"AzureWebJobsStorage__{kind}ServiceUri": f"https://stx.{kind}.core.windows.net/"
            for kind in ("blob", "queue", "table")
        },
    }

    yield from unlike("modules/app.bicep: host storage", given, wanted)


def secrets_by_reference(world: World) -> Iterator[str]:
    """A secret among parameters or settings would stay readable; all of them are references, read by the identity."""
    variables = world.files["main.bicep"].variables
    git, hooks = set(variables["gitSecrets"].value), set(variables["hookSecrets"].value)
    site = world.files["modules/app.bicep"].resources["site"].value["properties"]
    references = str(variables["allReferences"].value)

    yield from differ("main.bicep: plain settings that are secrets", SECRET & set(environment(world)), set())
    yield from differ("main.bicep: gitSecrets", git, {"RECONCILER_GIT_TOKEN"})
    told = {name for name in SECRET if name.startswith(f"{PREFIX}NOTIFY_") and not name.endswith("_2")}
    incoming = {name for name in SECRET if re.search(r"(GITHUB|REPOS)_SECRET(_2)?$", name)}
    yield from differ("main.bicep: notifySecrets", set(variables["notifySecrets"].value), told)
    yield from differ("main.bicep: hookSecrets", hooks, incoming)
    if "'@Microsoft.KeyVault(SecretUri=${vaultUri}/${each.value})'" not in references:
        yield f"main.bicep: allReferences: {references} is no reference to a vault"
    if not str(variables["vaultUri"].value).endswith("${environment().suffixes.keyvaultDns}/secrets'"):
        yield f"main.bicep: vaultUri: {variables['vaultUri'].value} is no address of secrets"
    yield from unlike(
        "modules/app.bicep: keyVaultReferenceIdentity", site.get("keyVaultReferenceIdentity"), Expression("identityId")
    )


def no_output_is_a_setting(world: World) -> Iterator[str]:
    """Azd makes variables of outputs, and hooks and shells inherit them."""
    yield from differ(
        "main.bicep: outputs that pass for settings",
        {name for name in world.files["main.bicep"].outputs if name.startswith(PREFIX)},
        set(),
    )


def nothing_sampled_away(world: World) -> Iterator[str]:
    """A sweep whose line was left out would look like one that did not happen."""
    sampling = world.host["logging"]["applicationInsights"]["samplingSettings"]
    kept = set(sampling["excludedTypes"].split(";"))
    if sampling["isEnabled"] and not {"Request", "Exception", "Trace"} <= kept:
        yield f"host.json: only {sorted(kept)} are kept whole"


def queues_and_containers(world: World) -> Iterator[str]:
    """Storage has every queue with its poison queue, and every container."""
    params = world.files["main.bicep"].modules["storage"].value["params"]
    names = world.names
    triggers = [trigger(function).get("queueName", "") for function in functions()]
    bound = {re.sub(r"%(\w+)%", lambda found: names["queues"].get(found[1], ""), name) for name in triggers if name}
    containers = [Expression(f"names.{name}Container") for name in ("state", "safety", "deployment", "deadLetter")]

    made = {queue + end for queue in names["queues"].values() for end in ("", names["poison"])}
    yield from differ("names.json: queues", made, bound)
    yield from unlike("main.bicep: queues", params["queues"], Expression("concat(queues, poison)"))
    yield from unlike("main.bicep: containers", params["containers"], containers)
    yield from unlike("names.json: stateContainer", names["stateContainer"], Names().container)
    yield from unlike("names.json: safetyContainer", names["safetyContainer"], Names().safety)


def safety_is_the_workers(world: World) -> Iterator[str]:
    """The ingress has no right on the container that decides what is written, and the worker starts in mode report."""
    ingress = world.files["main.bicep"].modules["ingressApp"].value["params"]
    if "safety" in f"{ingress}{world.files['modules/ingress.bicep'].text}":
        yield "modules/ingress.bicep: the ingress reaches the safety container"
    yield from unlike("main.bicep: RECONCILER_MODE", environment(world).get("RECONCILER_MODE"), "report")


def only_dead_letters_expire(world: World) -> Iterator[str]:
    """The rule deletes by prefix: a state container whose name begins alike would lose its blobs."""
    params = world.files["main.bicep"].modules["storage"].value["params"]
    dead = world.names["deadLetterContainer"]

    yield from unlike("main.bicep: expiring", params["expiring"], Expression("names.deadLetterContainer"))
    for other in (world.names["stateContainer"], world.names["deploymentContainer"]):
        if other.startswith(dead):
            yield f"names.json: {other} would expire with {dead}"


def functions_of_apps(world: World) -> Iterator[str]:
    """A function that no list names would run in both apps: on the ingress with rights that it does not have."""
    by_http = {each.get_function_name() for each in functions() if trigger(each)["type"] == "httpTrigger"}
    others = {each.get_function_name() for each in functions()} - by_http

    yield from differ("names.json: httpFunctions", set(world.names["httpFunctions"]), by_http)
    yield from differ("names.json: otherFunctions", set(world.names["otherFunctions"]), others)
    worker_alone = {
        "plan", "history", "run", "mode", "set_mode", "pauses", "set_pause", "resume", "approve", "approve_agent_pool",
        "page_plan", "page_pause",
    }  # fmt: skip
    yield from differ("names.json: notOnIngress", set(world.names["notOnIngress"]), worker_alone)


def open_paths(world: World) -> Iterator[str]:
    """Webhooks cannot sign in and have a lock of their own; everything else must. Pages sign in without a key."""
    prefix = world.host["extensions"]["http"]["routePrefix"]
    anonymous = [trigger(each) for each in functions() if trigger(each).get("authLevel") == "ANONYMOUS"]
    paths = {f"/{prefix}{each['route']}" for each in anonymous}

    yield from unlike("host.json: routePrefix", prefix, "")
    yield from differ(
        "names.json: openPaths", set(world.names["openPaths"]), {path for path in paths if path.startswith("/api/")}
    )


def app_role(world: World) -> Iterator[str]:
    """The app role of the registration is the one that the program asks for."""
    role, owner, reader = world.json("app-roles.json")
    asked = environment(world)["RECONCILER_APP_ROLE"]
    claims = {"claims": [{"typ": "roles", "val": role["value"]}]}
    header = {"x-ms-client-principal": base64.b64encode(json.dumps(claims).encode()).decode()}
    try:
        require_role(header, asked, platform_authenticates=True)
    except HttpProblem as problem:
        yield f"app-roles.json: {role['value']} is let in nowhere, {asked} is asked for: {problem.detail}"
    if not asked:
        yield "main.bicep: no app role is asked for"
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", role["id"]):
        yield f"app-roles.json: id {role['id']} is no guid"
    yield from differ("app-roles.json: members", set(role["allowedMemberTypes"]), {"Application", "User"})
    yield from unlike("app-roles.json: isEnabled", role["isEnabled"], True)
    yield from unlike("app-roles.json: owner", owner["value"], OWNER)
    yield from unlike("app-roles.json: owner: id", owner["id"] != role["id"], True)
    # What a program may do a stolen secret of it may do: only people own.
    yield from differ("app-roles.json: owner: members", set(owner["allowedMemberTypes"]), {"User"})
    yield from unlike("app-roles.json: reader", reader["value"], READER)
    yield from unlike("app-roles.json: ids", len({each["id"] for each in (role, owner, reader)}), 3)
    yield from unlike("app-roles.json: reader: isEnabled", reader["isEnabled"], True)
    if asked == OWNER:
        yield "main.bicep: who operates would own as well"


_GROUP = "/subscriptions/s/resourceGroups/rg"
_POOL = f"{_GROUP}/providers/Microsoft.DevOpsInfrastructure/pools/web"
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
_OF_POOLS = frozenset(
    {
        *(f"Microsoft.DevOpsInfrastructure/pools/{verb}" for verb in ("write", "delete")),
        "Microsoft.Resources/tags/write",
    }
)
_OF_GROUPS = frozenset({f"{_GROUPS}/delete", f"{_GROUPS}/moveResources/action"})


def event_filter(world: World) -> Iterator[str]:
    """Each event type of a filter, with each operation of it, as Event Grid would deliver it, becomes keys."""
    yield from _filter(world, "changes", _POOL, _OF_POOLS, pools._TYPES)
    yield from _filter(world, "groups", _GROUP, _OF_GROUPS, pools._GROUP_TYPES)
    filters = world.files["modules/pool-events.bicep"].resources["changes"].value["properties"]["filter"]
    subjects = [one["values"] for one in filters["advancedFilters"] if one["key"] == "subject"]
    for resource in (_POOL, f"{_POOL}/providers/Microsoft.Resources/tags/default"):
        if not any(part in resource for values in subjects for part in values):
            yield f"modules/pool-events.bicep: {resource} is not let through"
        if _keys("Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources/tags/write", resource) != ("web",):
            yield f"modules/pool-events.bicep: nothing is made of {resource}"


def _filter(world: World, name: str, resource: str, wanted: frozenset[str], read: frozenset[str]) -> Iterator[str]:
    where = f"modules/pool-events.bicep: {name}:"
    chosen = world.files["modules/pool-events.bicep"].resources[name].value["properties"]["filter"]
    narrow, kinds = chosen["advancedFilters"][0], chosen["includedEventTypes"]
    for kind, operation in product(kinds, narrow["values"]):
        if _keys(kind, operation, resource) != ("web",):
            yield f"{where} nothing is made of {kind} {operation}"
    yield from unlike(f"{where} key", narrow["key"], "data.operationName")
    known = {kind for kind in read if kind.startswith("microsoft.resources.")}
    yield from differ(f"{where} event types", {kind.lower() for kind in kinds}, known)
    yield from differ(f"{where} operations", set(narrow["values"]), set(wanted))


def _keys(kind: str, operation: str, resource: str) -> tuple[str, ...]:
    """Of an event that Event Grid would deliver; an operation with another provider is of another resource."""
    provider = operation.rpartition("/")[0]
    if not operation.startswith("Microsoft.Resources/"):
        resource = f"{_GROUP}/providers/{provider}/web"
    event = {
        "id": "1", "topic": "/subscriptions/s", "subject": resource, "eventType": kind,
        "eventTime": "2026-01-01T00:00:00Z", "dataVersion": "2", "metadataVersion": "1",
        "data": {"operationName": operation, "resourceUri": resource},
    }  # fmt: skip
    web = Spec("web", "s", "rg", Mode.ENFORCE, {})
    return pools.in_groups(pools.pool_keys(json.dumps([event])), [web]).keys


def message_encoding(world: World) -> Iterator[str]:
    """Event Grid writes queue messages in base64 (Azure SDK, samples of azure-eventgrid); the host must expect that."""
    for path in ("modules/pool-events.bicep", "modules/audit-events.bicep"):
        for subscription in [each for each in world.files[path].resources.values() if not each.existing]:
            schema = subscription.value["properties"].get("eventDeliverySchema")
            yield from unlike(f"{path}: eventDeliverySchema", schema, "EventGridSchema")
    yield from unlike("host.json: messageEncoding", world.host["extensions"]["queues"].get("messageEncoding"), "base64")


def runtime(world: World) -> Iterator[str]:
    """Azure runs the Python that the package is built for."""
    site = world.files["modules/app.bicep"].resources["site"].value
    built = re.search(r'"--python", default="([\d.]+)"', world.texts["scripts/package.py"])
    wanted = {"name": "python", "version": built[1] if built else "?"}

    yield from unlike("modules/app.bicep: runtime", site["properties"]["functionAppConfig"]["runtime"], wanted)


def azd_project(world: World) -> Iterator[str]:
    """Azd deploys what `make package` builds, to the app with its tag, and its hooks run what is there."""
    project = world.project
    ((service, given),) = project["services"].items()
    hooks = {name: hook["run"] for name, hook in {**project["hooks"], **given["hooks"]}.items()}

    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", project["name"]):
        yield f"azure.yaml: {project['name']!r} is no name"
    yield from unlike("azure.yaml: infra", project["infra"], {"provider": "bicep", "path": "infra", "module": "main"})
    if f"'azd-service-name': '{service}'" not in world.files["main.bicep"].text:
        yield f"main.bicep: no app has the tag {service}"
    yield from unlike("azure.yaml: host", (given["host"], given["remoteBuild"]), ("function", False))
    yield from differ("azure.yaml: hooks", set(project["hooks"]), {"postprovision", "postdeploy"})
    yield from differ("azure.yaml: hooks of the service", set(given["hooks"]), {"prepackage"})
    if not re.fullmatch(
        rf"make package && .*dist/mdp-reconciler\.zip {re.escape(given['dist'])}", hooks.get("prepackage", "")
    ):
        yield f"azure.yaml: prepackage does not fill {given['dist']}"
    for name in ("postprovision", "postdeploy"):
        yield from unlike(
            f"azure.yaml: {name}", hooks.get(name), f"python3 scripts/after.py {name.removeprefix('post')}"
        )


CHECKS: tuple[Check, ...] = (
    bound_names,
    sweep_interval,
    settings_taken,
    known_settings,
    host_storage,
    secrets_by_reference,
    no_output_is_a_setting,
    nothing_sampled_away,
    queues_and_containers,
    safety_is_the_workers,
    only_dead_letters_expire,
    functions_of_apps,
    open_paths,
    app_role,
    event_filter,
    message_encoding,
    runtime,
    azd_project,
)
