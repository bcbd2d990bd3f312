"""How a deployment is put together: who may do what and where, where events go, what the optional parts change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.infra.bicep import Declared, Expression
from tests.infra.rules import of_type, reach
from tests.infra.world import Check, World, differ, unlike

ROLES = {
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "DevOps Infrastructure Contributor": "76153a9e-0edb-49bc-8e01-93c47e6b5180",
    "Managed Identity Operator": "f1a07417-d97a-45cb-824c-7a7467783830",
    "Key Vault Certificate User": "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Queue Data Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
"""Microsoft Learn, "Azure built-in roles"; checked a second time, by hand, when this table was written."""

SCOPES = {
    "pools": ("poolResourceGroups", "enforcing ? roles['DevOps Infrastructure Contributor'] : roles.Reader", False),
    "identities": ("attachedIdentities", "roles['Managed Identity Operator']", True),
    "joiner": ("subnets", "", True),
    "joined": ("subnets", "joiner[index]!.outputs.roleId", True),
    "certificates": ("certificateVaults", "roles['Key Vault Certificate User']", True),
    "projects": ("devCenterProjects", "roles.Reader", True),
    "secrets": ("secretNames", "roles['Key Vault Secrets User']", False),
}
"""Module of roles.bicep → the parameter that it goes through, the role, whether it is given in mode enforce alone."""

_STREAMS = (
    ("poolEvents", "poolSender", "modules/pool-events.bicep", "RECONCILER_POOL_EVENTS_QUEUE"),
    ("auditEvents", "auditSender", "modules/audit-events.bicep", "RECONCILER_DEVOPS_EVENTS_QUEUE"),
)


def role_ids(world: World) -> Iterator[str]:
    """A wrong id is another role, and one that is not used is an invitation."""
    text = "".join(file.text for file in world.files.values())
    used = set(re.findall(r"(?:roles|ids)(?:\['([^']+)'\]|\.(\w+))", text))

    yield from unlike("roles.json: ids", world.json("roles.json")["ids"], ROLES)
    yield from differ("roles", {first or second for first, second in used} - {"ids", "json", "bicep"}, set(ROLES))


def role_scopes(world: World) -> Iterator[str]:
    """Each right is given where a parameter says, and the rights to write in mode enforce alone."""
    modules = world.files["modules/roles.bicep"].modules
    for name, (parameter, role, enforcing) in SCOPES.items():
        where, module = f"modules/roles.bicep: {name}", modules[name]
        given = module.value.get("params", {}).get("roleId")
        if not module.loop.endswith(f" in {parameter}"):
            yield f"{where}: goes through {module.loop!r}, not {parameter}"
        yield from unlike(f"{where}: role", str(given or ""), role)
        yield from unlike(f"{where}: condition", module.condition, "(enforcing)" if enforcing else "")
    yield from differ("modules/roles.bicep: modules", set(modules), {*SCOPES, "storage", "telemetry"})
    yield from unlike("main.bicep: mode", world.files["main.bicep"].params["mode"].value, "report")
    yield from _lists(world)


def _lists(world: World) -> Iterator[str]:
    given = world.files["main.bicep"].modules["roles"].value["params"]
    for name in {parameter for parameter, *_ in SCOPES.values()} - {"secretNames"}:
        wanted = Expression(f"filter(map(split({name}, ','), each => trim(each)), each => !empty(each))")
        yield from unlike(f"main.bicep: roles: {name}", given.get(name), wanted)
    yield from unlike(
        "main.bicep: roles: secretNames",
        given.get("secretNames"),
        Expression("union(map(workerSecrets, each => each.value), [])"),
    )


def worker_data_roles(world: World) -> Iterator[str]:
    """What the worker's host and the program need of storage and telemetry, and no more."""
    modules = world.files["modules/roles.bicep"].modules
    kept = re.findall(r"\['([^']+)'\]", " ".join(map(str, modules["storage"].value["params"]["roleIds"])))
    given = world.files["main.bicep"].modules["roles"].value["params"]

    yield from differ(
        "modules/roles.bicep: storage", set(kept), {"Storage Queue Data Contributor", "Storage Table Data Contributor"}
    )
    yield from unlike(
        "modules/roles.bicep: storage: containers",
        modules["storage"].value["params"].get("blobContainers"),
        Expression("blobContainers"),
    )
    yield from unlike(
        "main.bicep: roles: containers",
        given.get("blobContainers"),
        [Expression(f"names.{name}Container") for name in ("state", "safety", "deployment")],
    )
    yield from unlike(
        "modules/roles.bicep: telemetry",
        modules["telemetry"].value["params"]["roleId"],
        Expression("roles['Monitoring Metrics Publisher']"),
    )


def joining_role(world: World) -> Iterator[str]:
    """The role of our own may join a subnet and nothing else."""
    role = world.files["roles/subnet-role.bicep"].resources["joiner"].value["properties"]["permissions"]
    subnets = "Microsoft.Network/virtualNetworks/subnets"
    wanted = {"actions": [f"{subnets}/read", f"{subnets}/join/action"]}

    yield from unlike("roles/subnet-role.bicep", [{k: v for k, v in each.items() if v} for each in role], [wanted])


def streams(world: World) -> Iterator[str]:
    """Each stream goes to its own queue, and its sender may write there and into the dead-letter container first."""
    modules = world.files["main.bicep"].modules
    for events, sender, path, queue in _STREAMS:
        sent, granted = modules[events].value, modules[sender].value
        wanted, dead = Expression(f"names.queues.{queue}"), Expression("names.deadLetterContainer")
        yield from unlike(f"main.bicep: {events}: queueName", sent["params"]["queueName"], wanted)
        yield from unlike(f"main.bicep: {sender}: queueName", granted["params"]["queueName"], wanted)
        yield from unlike(f"main.bicep: {events}: dead letters", sent["params"]["deadLetterContainer"], dead)
        yield from unlike(f"main.bicep: {sender}: dead letters", granted["params"]["containerName"], dead)
        yield from unlike(f"main.bicep: {events}: dependsOn", sent.get("dependsOn"), [Expression(sender)])
        for kept in [each for each in world.files[path].resources.values() if not each.existing]:
            blob = reach(kept.value, "properties.deadLetterWithResourceIdentity.deadLetterDestination.properties")
            container = (blob or {}).get("blobContainerName")
            yield from unlike(f"{path}: dead letters", container, Expression("deadLetterContainer"))


def system_topics(world: World) -> Iterator[str]:
    """New or existing, one in each subscription, each with an identity of its own that may send to our queue."""
    file, main = world.files["modules/system-topic.bicep"], world.files["main.bicep"]
    made, found = file.resources["topic"], file.resources["found"]

    yield from unlike("modules/system-topic.bicep: topic", (made.condition, made.existing), ("(!existingTopic)", False))
    yield from unlike("modules/system-topic.bicep: found", (found.condition, found.existing), ("(existingTopic)", True))
    yield from unlike(
        "modules/system-topic.bicep: source", reach(made.value, "properties.source"), Expression("subscription().id")
    )
    kind = reach(made.value, "properties.topicType")
    yield from unlike("modules/system-topic.bicep: topicType", kind, "Microsoft.Resources.Subscriptions")
    for name in ("systemTopic", "poolEvents"):
        yield from _everywhere(f"main.bicep: {name}", main.modules[name])
    yield from unlike(
        "main.bicep: existingTopic",
        main.modules["systemTopic"].value["params"]["existingTopic"],
        Expression("source.existing"),
    )
    yield from unlike(
        "main.bicep: poolSender",
        main.modules["poolSender"].value["params"]["principalId"],
        Expression("systemTopic[index].outputs.principalId"),
    )
    yield from _sources(main.variables)


def _everywhere(where: str, module: Declared) -> Iterator[str]:
    wanted = Expression("resourceGroup(source.subscription, source.resourceGroup)")
    yield from unlike(f"{where}: scope", module.value.get("scope"), wanted)
    yield from unlike(f"{where}: loop", module.loop, "for (source, index) in sources")


def _sources(variables: dict[str, Any]) -> Iterator[str]:
    wanted = Expression("empty(there) && empty(wanted) ? here : concat(there, wanted)")
    yield from unlike("main.bicep: sources", variables["sources"].value, wanted)
    for name, existing in (("there", "true"), ("wanted", "false")):
        if f"existing: {existing}" not in str(variables[name].value):
            yield f"main.bicep: {name}: existing is not {existing}"


def ingress_rights(world: World) -> Iterator[str]:
    """It may enqueue, keep what it remembers and read its secrets; pools and Azure DevOps are none of its business."""
    file = world.files["modules/ingress.bicep"]
    granted = set(re.findall(r"roles(?:\['([^']+)'\]|\.(\w+))", file.text))
    params = world.files["main.bicep"].modules["ingressApp"].value["params"]

    yield from differ("modules/ingress.bicep: roles", {first or second for first, second in granted} - {"json"}, {
        "Storage Table Data Contributor", "Storage Queue Data Message Sender",
        "Storage Blob Data Contributor", "Monitoring Metrics Publisher", "Key Vault Secrets User",
    })  # fmt: skip
    for name, account in (("hostRoles", "storage.outputs.name"), ("senders", "work.name"), ("memory", "work.name")):
        found = file.modules[name].value["params"]["accountName"]
        yield from unlike(f"modules/ingress.bicep: {name}: account", found, Expression(account))
    host = file.modules["hostRoles"].value["params"]
    yield from unlike(
        "modules/ingress.bicep: hostRoles: containers", host.get("blobContainers"), [Expression("deploymentContainer")]
    )
    queues = [Expression("names.queues.RECONCILER_WORK_QUEUE")]
    yield from unlike("main.bicep: ingress: queues", params["queueNames"], queues)
    yield from unlike("main.bicep: ingress: blobs", params["stateBlobs"], Expression("names.ingressWrites"))
    memory = file.modules["memory"].value["params"]
    yield from unlike("modules/ingress.bicep: memory: blobs", memory.get("onlyBlobs"), Expression("stateBlobs"))
    yield from unlike("main.bicep: ingress: container", params["stateContainer"], Expression("names.stateContainer"))
    for name, found in file.modules.items():
        principal = found.value["params"].get("principalId")
        if principal not in (None, Expression("identity.outputs.principalId")):
            yield f"modules/ingress.bicep: {name}: grants to {principal}"


def writes_by_condition(world: World) -> Iterator[str]:
    """Where blobs are named, every way to change one is allowed for those alone (Learn, "Azure role assignment conditions")."""
    file = world.files["roles/container.bicep"]
    found = file.resources["write"].value["properties"]
    kinds = {"write", "add/action", "delete", "move/action"}
    texts = {
        "others": "join(map(changes, each => '!(ActionMatches{\\'${blobs}/${each}\\'})'), ' AND ')",
        "fits": "join(map(onlyBlobs, each => '@Resource[${blobs}:path] StringEquals \\'${each}\\''), ' OR ')",
    }

    yield from differ("roles/container.bicep: changes", set(file.variables["changes"].value), kinds)
    for name, wanted in texts.items():
        yield from unlike(f"roles/container.bicep: {name}", file.variables[name].value, Expression(wanted))
    for name, wanted in (("condition", "'((${others}) OR (${fits}))'"), ("conditionVersion", "'2.0'")):
        whole = Expression(f"empty(onlyBlobs) ? null : {wanted}")
        yield from unlike(f"roles/container.bicep: {name}", found.get(name), whole)


def blobs_by_container(world: World) -> Iterator[str]:
    """An app reads and writes blobs of its own containers alone, whatever else the account holds."""
    file = world.files["roles/account.bicep"]
    found = file.resources["blobs"].value["properties"]
    uses = {"read", "write", "add/action", "delete", "move/action"}
    texts = {
        "blobRole": "roles['Storage Blob Data Contributor']",
        "others": "join(map(uses, each => '!(ActionMatches{\\'${service}/containers/blobs/${each}\\'})'), ' AND ')",
        "patterns": "concat(['azure-webjobs-*'], blobContainers)",
        "fits": "join(map(patterns, each => '@Resource[${service}/containers:name] StringLike \\'${each}\\''), ' OR ')",
    }

    yield from differ("roles/account.bicep: uses", set(file.variables["uses"].value), uses)
    for name, wanted in texts.items():
        yield from unlike(f"roles/account.bicep: {name}", file.variables[name].value, Expression(wanted))
    yield from unlike(
        "roles/account.bicep: role",
        found.get("roleDefinitionId"),
        Expression("subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobRole)"),
    )
    yield from unlike(
        "roles/account.bicep: condition", found.get("condition"), Expression("'((${others}) OR (${fits}))'")
    )
    yield from unlike("roles/account.bicep: conditionVersion", found.get("conditionVersion"), "2.0")


def ingress_split(world: World) -> Iterator[str]:
    """With an ingress the worker answers no HTTP and knows no webhook secret, and the ingress runs nothing else."""
    modules = world.files["main.bicep"].modules
    worker, ingress = modules["app"].value["params"], modules["ingressApp"].value["params"]
    secrets = world.files["main.bicep"].variables["workerSecrets"].value

    yield from unlike("main.bicep: ingressApp", modules["ingressApp"].condition, "(ingress)")
    yield from unlike(
        "main.bicep: ingress: disabled",
        ingress["disabled"],
        Expression("concat(names.otherFunctions, names.notOnIngress)"),
    )
    yield from unlike(
        "main.bicep: worker: disabled", worker["disabled"], Expression("ingress ? names.httpFunctions : []")
    )
    yield from unlike("main.bicep: worker: reachable", worker["reachable"], Expression("!ingress"))
    yield from unlike(
        "main.bicep: workerSecrets",
        secrets,
        Expression(
            "ingress ? filter(items(union(gitSecrets, notifySecrets)), each => !empty(each.value)) : allSecrets"
        ),
    )
    door = world.files["modules/app.bicep"].resources["site"].value["properties"]["siteConfig"]
    yield from unlike(
        "modules/app.bicep: door",
        door.get("ipSecurityRestrictionsDefaultAction"),
        Expression("reachable ? 'Allow' : 'Deny'"),
    )
    switches = world.files["modules/app.bicep"].variables["switches"].value
    wanted = Expression("toObject(disabled, each => 'AzureWebJobs.${each}.Disabled', each => 'true')")
    yield from unlike("modules/app.bicep: switches", switches, wanted)


def telemetry_by_identity(world: World) -> Iterator[str]:
    """Application Insights takes nothing without a token (local authentication is off: another rule), so it gets one."""
    connections = world.files["modules/app.bicep"].variables["connections"].value
    wanted = Expression("'ClientId=${identityClientId};Authorization=AAD'")

    yield from unlike(
        "modules/app.bicep: telemetry", connections.get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING"), wanted
    )


def private_network(world: World) -> Iterator[str]:
    """With a network, apps run in it and storage is reached by private endpoints; Event Grid comes as a trusted service."""
    main, net = world.files["main.bicep"], world.files["modules/network.bicep"]
    ends, account = world.files["modules/endpoints.bicep"], world.files["modules/storage.bicep"].resources["account"]
    for name in ("net", "endpoints"):
        yield from unlike(f"main.bicep: {name}", main.modules[name].condition, "(network)")
    yield from unlike("main.bicep: closed", main.modules["storage"].value["params"]["closed"], Expression("network"))
    yield from unlike("modules/storage.bicep: networkAcls", reach(account.value, "properties.networkAcls"), {
        "bypass": "AzureServices", "defaultAction": Expression("closed ? 'Deny' : 'Allow'"),
    })  # fmt: skip
    for where, file in (("network", net), ("endpoints", ends)):
        yield from unlike(
            f"modules/{where}.bicep: services", file.variables["services"].value, ["blob", "queue", "table"]
        )
        zone = Expression("'privatelink.${service}.${environment().suffixes.storage}'")
        yield from unlike(f"modules/{where}.bicep: zone", file.resources["zone"].value["name"], zone)
    for name, output in (("app", "worker"), ("ingressApp", "ingress")):
        wanted = Expression(f"network ? net!.outputs.{output}SubnetId : ''")
        yield from unlike(f"main.bicep: {name}: subnetId", main.modules[name].value["params"]["subnetId"], wanted)
    yield from _delegated(world)


def _delegated(world: World) -> Iterator[str]:
    """Flex Consumption runs in subnets delegated to Microsoft.App/environments (Learn, "Flex Consumption plan hosting")."""
    for where, network in of_type(world.files, "Microsoft.Network/virtualNetworks"):
        found = {
            subnet["name"]: [
                reach(each, "properties.serviceName") for each in subnet["properties"].get("delegations", [])
            ]
            for subnet in network.value["properties"]["subnets"]
        }
        flex = ["Microsoft.App/environments"]
        yield from unlike(f"{where}: delegations", found, {"worker": flex, "ingress": flex, "endpoints": []})


CHECKS: tuple[Check, ...] = (
    role_ids,
    role_scopes,
    worker_data_roles,
    joining_role,
    streams,
    system_topics,
    ingress_rights,
    writes_by_condition,
    blobs_by_container,
    ingress_split,
    telemetry_by_identity,
    private_network,
)
