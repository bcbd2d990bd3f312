"""What no template of ours may do, whatever the schemas allow. Each rule is a function from templates to problems."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.infra.bicep import Declared, Expression, Template

Files = dict[str, Template]
Rule = Callable[[Files], Iterator[str]]

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_SECRET = re.compile(r"key|secret|password|token|connectionstring|\blist[A-Z]\w*\(", re.IGNORECASE)
_NOT_ON_FLEX = frozenset(
    [
        "FUNCTIONS_WORKER_RUNTIME",
        "FUNCTIONS_EXTENSION_VERSION",
        "WEBSITE_RUN_FROM_PACKAGE",
        "SCM_DO_BUILD_DURING_DEPLOYMENT",
        "ENABLE_ORYX_BUILD",
        "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
        "WEBSITE_CONTENTSHARE",
        "AzureWebJobsStorage",
    ]
)
"""Microsoft Learn, "Flex Consumption plan deprecations"; the last would be a connection string."""


def of_type(files: Files, kind: str) -> Iterator[tuple[str, Declared]]:
    """Every resource of a type that a template makes, with where it is."""
    for file in files.values():
        for resource in file.resources.values():
            if resource.kind.partition("@")[0] == kind and not resource.existing:
                yield f"{file.path}: {resource.name}", resource


def reach(value: Any, path: str) -> Any:
    """What is at ``a.b.c``, None where nothing is."""
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _must(files: Files, kind: str, path: str, *wanted: Any) -> Iterator[str]:
    for where, resource in of_type(files, kind):
        found = reach(resource.value, path)
        if isinstance(found, Expression) or found not in wanted or type(found) not in {type(each) for each in wanted}:
            yield f"{where}: {path} is {found!r}, not {wanted[0]!r}"


def no_shared_keys(files: Files) -> Iterator[str]:
    """Storage and telemetry know identities alone; nothing asks for a key."""
    yield from _must(files, "Microsoft.Storage/storageAccounts", "properties.allowSharedKeyAccess", False)
    yield from _must(files, "Microsoft.Storage/storageAccounts", "properties.defaultToOAuthAuthentication", True)
    yield from _must(files, "Microsoft.Insights/components", "properties.DisableLocalAuth", True)
    yield from _must(files, "Microsoft.OperationalInsights/workspaces", "properties.features.disableLocalAuth", True)
    yield from _must(files, "Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties.allow", False)
    yield from _must(files, "Microsoft.Web/sites", "properties.siteConfig.ftpsState", "Disabled")
    for file in files.values():
        if re.search(r"\blist(Keys|AccountSas|Secrets|ServiceSas)?\(|AccountKey=", file.text):
            yield f"{file.path}: asks for a key"


def no_public_blobs(files: Files) -> Iterator[str]:
    """Nothing in storage is for everybody."""
    yield from _must(files, "Microsoft.Storage/storageAccounts", "properties.allowBlobPublicAccess", False)
    yield from _must(files, "Microsoft.Storage/storageAccounts", "properties.allowCrossTenantReplication", False)
    kind = "Microsoft.Storage/storageAccounts/blobServices/containers"
    yield from _must(files, kind, "properties.publicAccess", "None")


def only_https(files: Files) -> Iterator[str]:
    """Nothing answers over http."""
    yield from _must(files, "Microsoft.Storage/storageAccounts", "properties.supportsHttpsTrafficOnly", True)
    yield from _must(files, "Microsoft.Web/sites", "properties.httpsOnly", True)
    for where, resource in of_type(files, "Microsoft.Web/sites/config"):
        if resource.value["name"] == "authsettingsV2" and not reach(
            resource.value, "properties.httpSettings.requireHttps"
        ):
            yield f"{where}: signs people in over http"


def recent_tls(files: Files) -> Iterator[str]:
    """TLS 1.2 at least."""
    yield from _must(files, "Microsoft.Storage/storageAccounts", "properties.minimumTlsVersion", "TLS1_2", "TLS1_3")
    yield from _must(files, "Microsoft.Web/sites", "properties.siteConfig.minTlsVersion", "1.2", "1.3")
    yield from _must(files, "Microsoft.Web/sites", "properties.siteConfig.scmMinTlsVersion", "1.2", "1.3")
    yield from _must(files, "Microsoft.EventGrid/topics", "properties.minimumTlsVersionAllowed", "1.2")


def no_secret_in_outputs(files: Files) -> Iterator[str]:
    """Outputs stay readable in the deployment's history for ever."""
    for file in files.values():
        for output in file.outputs.values():
            # Where local authentication is off (another rule), this string is an address and opens nothing.
            address = (file.path, output.name) == ("modules/telemetry.bicep", "connectionString")
            if _SECRET.search(f"{output.name} {output.value}") and not address:
                yield f"{file.path}: output {output.name} looks like a secret"


def delivered_by_identity(files: Files) -> Iterator[str]:
    """Event Grid delivers, and sets aside what it could not deliver, as its topic's own identity."""
    for kind in ("systemTopics", "topics"):
        for where, resource in of_type(files, f"Microsoft.EventGrid/{kind}/eventSubscriptions"):
            properties = resource.value["properties"]
            for path in ("deliveryWithResourceIdentity", "deadLetterWithResourceIdentity"):
                if reach(properties, f"{path}.identity.type") != "SystemAssigned":
                    yield f"{where}: {path} has no identity"
            for path in {"destination", "deadLetterDestination"} & set(properties):
                yield f"{where}: {path} uses a key"
        yield from _must(files, f"Microsoft.EventGrid/{kind}", "identity.type", "SystemAssigned")


def roles_by_name(files: Files) -> Iterator[str]:
    """Role ids stand in roles.json and nowhere else; grants are to service principals, and named so that each is one."""
    for file in files.values():
        yield from (f"{file.path}: {found} is an id; put it into roles.json" for found in _GUID.findall(file.text))
    for where, grant in of_type(files, "Microsoft.Authorization/roleAssignments"):
        if reach(grant.value, "properties.principalType") != "ServicePrincipal":
            yield f"{where}: principalType is missing, and a fresh identity may not be found yet"
        name, role = str(grant.value["name"]), str(reach(grant.value, "properties.roleDefinitionId"))
        asked = re.search(r", (\w+)\)$", role)
        if asked is None or not name.endswith(f"principalId, {asked[1]})") or ".id, " not in name:
            yield f"{where}: name {name} does not follow from scope, principal and role"
        if "scope" not in grant.value and "resourceGroup().id" not in name:
            yield f"{where}: is granted on the whole resource group"


def runs_on_flex(files: Files) -> Iterator[str]:
    """Flex Consumption, Python of the package, one user-assigned identity for everything."""
    yield from _must(files, "Microsoft.Web/serverfarms", "sku.name", "FC1")
    yield from _must(files, "Microsoft.Web/sites", "identity.type", "UserAssigned")
    yield from _must(files, "Microsoft.Web/sites", "properties.functionAppConfig.runtime.name", "python")
    kept = "properties.functionAppConfig.deployment.storage.authentication.type"
    yield from _must(files, "Microsoft.Web/sites", kept, "UserAssignedIdentity")
    for file in files.values():
        settings = {
            key for variable in file.variables.values() if isinstance(variable.value, dict) for key in variable.value
        }
        yield from (f"{file.path}: {name} has no place on Flex Consumption" for name in sorted(settings & _NOT_ON_FLEX))


def callers_sign_in(files: Files) -> Iterator[str]:
    """The platform checks who signs in, the functions who may: a browser is sent to sign in, others get 401.

    That every function does is in tests/service/http/test_doors.py.
    """
    for where, resource in of_type(files, "Microsoft.Web/sites/config"):
        if resource.value["name"] != "authsettingsV2":
            continue
        asked = resource.value["properties"]["globalValidation"]
        if asked.get("requireAuthentication") is not False:
            yield f"{where}: requireAuthentication keeps browsers from the page that sends them to sign in"
        if asked.get("unauthenticatedClientAction") != "AllowAnonymous":
            yield f"{where}: unauthenticatedClientAction is not left to the functions"
        if asked.get("excludedPaths") != Expression("openPaths"):
            yield f"{where}: excludedPaths is {asked.get('excludedPaths')!r}, not openPaths"
        if not reach(resource.value, "properties.identityProviders.azureActiveDirectory.validation.allowedAudiences"):
            yield f"{where}: takes tokens for any audience"


RULES: tuple[Rule, ...] = (
    no_shared_keys,
    no_public_blobs,
    only_https,
    recent_tls,
    no_secret_in_outputs,
    delivered_by_identity,
    roles_by_name,
    runs_on_flex,
    callers_sign_in,
)
