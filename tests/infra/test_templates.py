"""The templates of infra/, checked without Azure: against the published schemas, each other, and our own rules."""

from __future__ import annotations

import functools
import json

import pytest

from tests.infra import agreement, bicep, rules, schema
from tests.infra.bicep import INFRA

FILES = bicep.templates()


@pytest.mark.parametrize("path", FILES)
def test_every_template_parses_and_is_what_the_published_schemas_allow(path: str) -> None:
    """A misspelt property is otherwise found by the person who deploys."""
    assert list(FILES[path].problems) == []
    assert schema.problems(FILES[path]) == []


def test_modules_get_what_they_ask_for_and_give_what_is_read_of_them() -> None:
    assert agreement.problems(FILES) == []


def test_every_parameter_comes_from_azd_or_has_a_default() -> None:
    assert agreement.parameter_problems(FILES, agreement.parameters_file()) == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_no_template_breaks_a_rule(rule: rules.Rule) -> None:
    assert list(rule(FILES)) == []


def test_every_module_is_used() -> None:
    """A template that nothing deploys rots."""
    used = {agreement._target(file.path, module.kind) for file in FILES.values() for module in file.modules.values()}

    assert used == set(FILES) - {"main.bicep"}


# --- each rule, broken once --------------------------------------------------------------------------


def _mutated(path: str, old: str, new: str) -> dict[str, bicep.Template]:
    text = (INFRA / path).read_text()
    assert old in text, f"{path} no longer says {old!r}"
    return {**FILES, path: bicep.parse(text.replace(old, new, 1), path)}


BROKEN_RULES = [
    ("no_shared_keys", "modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
    ("no_shared_keys", "modules/storage.bicep", "    allowSharedKeyAccess: false\n", ""),
    ("no_shared_keys", "modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: closed"),
    ("no_shared_keys", "modules/storage.bicep", "defaultToOAuthAuthentication: true", "defaultToOAuthAuthentication: false"),
    ("no_shared_keys", "modules/telemetry.bicep", "DisableLocalAuth: true", "DisableLocalAuth: false"),
    ("no_shared_keys", "modules/telemetry.bicep", "disableLocalAuth: true", "disableLocalAuth: false"),
    ("no_shared_keys", "modules/app.bicep", "allow: false", "allow: true"),
    ("no_shared_keys", "modules/app.bicep", "ftpsState: 'Disabled'", "ftpsState: 'AllAllowed'"),
    ("no_shared_keys", "modules/app.bicep", "identityClientId\n  RECON", "site.listKeys().a\n  RECON"),
    ("no_public_blobs", "modules/storage.bicep", "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
    ("no_public_blobs", "modules/storage.bicep", "publicAccess: 'None'", "publicAccess: 'Blob'"),
    ("no_public_blobs", "modules/storage.bicep", "allowCrossTenantReplication: false", "allowCrossTenantReplication: true"),
    ("only_https", "modules/storage.bicep", "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false"),
    ("only_https", "modules/app.bicep", "httpsOnly: true", "httpsOnly: false"),
    ("only_https", "modules/app.bicep", "requireHttps: true", "requireHttps: false"),
    ("recent_tls", "modules/storage.bicep", "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'"),
    ("recent_tls", "modules/app.bicep", "minTlsVersion: '1.2'", "minTlsVersion: '1.1'"),
    ("recent_tls", "modules/app.bicep", "scmMinTlsVersion: '1.2'", "scmMinTlsVersion: '1.0'"),
    ("recent_tls", "modules/audit-topic.bicep", "minimumTlsVersionAllowed: '1.2'", "minimumTlsVersionAllowed: '1.0'"),
    ("no_secret_in_outputs", "modules/audit-topic.bicep", "topic.properties.endpoint", "topic.listKeys().key1"),
    ("no_secret_in_outputs", "main.bicep", "app.outputs.name", "telemetry.outputs.connectionString"),
    ("delivered_by_identity", "modules/pool-events.bicep", "type: 'SystemAssigned'", "type: 'UserAssigned'"),
    ("delivered_by_identity", "modules/audit-events.bicep", "deadLetterWithResourceIdentity", "deadLetterDestination"),
    ("delivered_by_identity", "modules/system-topic.bicep", "type: 'SystemAssigned'", "type: 'None'"),
    ("roles_by_name", "roles/group.bicep", "principalType: 'ServicePrincipal'", "principalType: 'User'"),
    ("roles_by_name", "roles/group.bicep", "guid(resourceGroup().id, principalId, roleId)", "guid(principalId, roleId)"),
    ("roles_by_name", "roles/vault.bicep", "  scope: vault\n", ""),
    ("roles_by_name", "modules/roles.bicep", "roles.Reader", "'8e3af657-a8ff-443c-a75c-2fe8c4bcb635'"),
    ("runs_on_flex", "modules/app.bicep", "name: 'FC1'", "name: 'EP1'"),
    ("runs_on_flex", "modules/app.bicep", "type: 'UserAssigned'", "type: 'SystemAssigned'"),
    ("runs_on_flex", "modules/app.bicep", "type: 'UserAssignedIdentity'", "type: 'StorageAccountConnectionString'"),
    ("runs_on_flex", "modules/app.bicep", "name: 'python'", "name: 'node'"),
    ("runs_on_flex", "modules/app.bicep", "AzureWebJobsStorage__clientId: identityClientId", "AzureWebJobsStorage: 'x'"),
    ("callers_sign_in", "modules/app.bicep", "requireAuthentication: true", "requireAuthentication: false"),
    ("callers_sign_in", "modules/app.bicep", "'Return401'", "'AllowAnonymous'"),
    ("callers_sign_in", "modules/app.bicep", "excludedPaths: openPaths", "excludedPaths: ['/api/*']"),
    ("callers_sign_in", "modules/app.bicep", "allowedAudiences", "allowedAudience"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "path", "old", "new"), BROKEN_RULES)
def test_a_template_that_breaks_a_rule_is_found(rule: str, path: str, old: str, new: str) -> None:
    found = list(getattr(rules, rule)(_mutated(path, old, new)))

    assert found
    assert path in found[0]


def test_every_rule_is_broken_once() -> None:
    assert {rule for rule, *_ in BROKEN_RULES} == {rule.__name__ for rule in rules.RULES}


BROKEN_SCHEMAS = [
    ("modules/storage.bicep", "minimumTlsVersion:", "minTlsVersion:", "minTlsVersion is no property"),
    ("modules/storage.bicep", "'TLS1_2'", "'TLS12'", "none of TLS1_0"),
    ("modules/storage.bicep", "accessTier: 'Hot'", "accessTier: 7", "none of"),
    ("modules/storage.bicep", "days: 7", "days: '7'", "'7' is no int"),
    ("modules/storage.bicep", "  kind: 'StorageV2'\n", "", "kind is missing"),
    ("modules/storage.bicep", "  parent: blobs\n", "", "wrong"),
    ("modules/storage.bicep", "storageAccounts@2025-01-01", "storageAccounts@2019-01-01", "version is 2019-01-01"),
    ("modules/storage.bicep", "'Deny' : 'Allow'", "'Deny' : 'Open'", "'Open' is none of"),
    ("modules/identity.bicep", "userAssignedIdentities@", "userIdentities@", "nothing is known of"),
    ("modules/identity.bicep", "  tags: tags\n", "  tags: tags\n  properties: {\n    clientId: 'x'\n  }\n", "read-only"),
    ("modules/pool-events.bicep", "operatorType: 'StringIn'", "operatorType: 'StringIs'", "'StringIs' is none of"),
    ("modules/pool-events.bicep", "endpointType: 'StorageQueue'", "endpointType: 'Queue'", "'Queue' is none of"),
    ("modules/pool-events.bicep", "queueName: queueName", "queue: queueName", "queue is no property"),
    ("modules/pool-events.bicep", "values: [", "value: [", "value is no property"),
    ("modules/app.bicep", "excludedPaths:", "excludePaths:", "excludePaths is no property"),
    ("modules/app.bicep", "name: 'authsettingsV2'", "name: 'authsettingsV3'", "'authsettingsV3' is none of"),
    ("modules/monitoring.bicep", "timeAggregation: 'Count'", "timeAggregation: 'Sum'", "'Sum' is none of"),
    ("modules/network.bicep", "delegations: [", "delegation: [", "delegation is no property"),
    ("modules/endpoints.bicep", "groupIds: [\n              service\n            ]", "groupIds: 'blob'", "not a list"),
    ("roles/vault.bicep", "existing = {", "existing = {\n  location: 'x'", "location is set on an existing resource"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "old", "new", "what"), BROKEN_SCHEMAS)
def test_what_the_schemas_do_not_allow_is_found(path: str, old: str, new: str, what: str) -> None:
    found = schema.problems(_mutated(path, old, new)[path])

    wanted = "parent is not a resource" if what == "wrong" else what
    assert any(wanted in line for line in found), found


BROKEN_AGREEMENTS = [
    ("main.bicep", "    closed: network\n", "", "modules/storage.bicep wants closed"),
    ("main.bicep", "closed: network", "close: network", "has no parameter close"),
    ("main.bicep", "identity.outputs.clientId", "identity.outputs.client", "has no output client"),
    ("main.bicep", "name: storage.outputs.name", "name: storage.outputs", "outputs as a whole"),
    ("main.bicep", "  name: 'telemetry'\n  scope: group\n", "  name: 'telemetry'\n", "no scope is given"),
    ("main.bicep", "instanceMemoryMB: 2048", "instanceMemoryMB: 1024", "instanceMemoryMB is 1024"),
    ("main.bicep", "reachable: !ingress", "reachable: 'yes'", "reachable is 'yes'"),
    ("main.bicep", "modules/identity.bicep", "modules/identities.bicep", "there is no modules/identities.bicep"),
    ("main.bicep", "retentionDays: retentionDays", "retentionDays: retention", "retention is declared nowhere"),
    ("main.bicep", "policyFile\n  RECON", "''\n  RECON", "policyFile is never used"),
    ("main.bicep", "uniqueString(", "uniqString(", "uniqString() is no function"),
    ("main.bicep", "resource group 'Micro", "resource group Micro", "does not parse"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "old", "new", "what"), BROKEN_AGREEMENTS)
def test_two_templates_that_disagree_are_found(path: str, old: str, new: str, what: str) -> None:
    found = agreement.problems(_mutated(path, old, new))

    assert any(what in line for line in found), found


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("environmentName", None, "environmentName is missing"),
        ("mode", "${MODE}", "mode has a default, and azd would ask for it"),
        ("modus", "${MODE=report}", "main.bicep has no parameter modus"),
    ],
)
def test_a_parameter_that_azd_would_get_wrong_is_found(name: str, value: str | None, what: str) -> None:
    document = json.loads(agreement.parameters_file())
    document["parameters"].pop(name, None)
    if value is not None:
        document["parameters"][name] = {"value": value}

    assert any(what in line for line in agreement.parameter_problems(FILES, json.dumps(document)))


def test_the_facts_name_their_source_and_version() -> None:
    """The Makefile installs the package that printed them, in the same version."""
    source = json.loads((schema._HERE / "schemas.json").read_text())["source"]
    makefile = (INFRA.parent / "Makefile").read_text()

    assert source.startswith("npm @azure/mcp ")
    assert f"@azure/mcp@{source.split()[2].rstrip(',')}" in makefile


def test_every_known_type_is_used() -> None:
    """Facts of types that no template uses any more are thrown away."""
    used = functools.reduce(
        set.union,
        ({each.kind.partition("@")[0] for each in file.resources.values()} for file in FILES.values()),
        set[str](),
    )

    assert set(schema.facts()) == used
