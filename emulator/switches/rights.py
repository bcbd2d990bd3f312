"""Switches of the Azure DevOps plane: roles, inheritance, groups and identities."""

from __future__ import annotations

from emulator.switch import Switch, Value

LEARN = "Microsoft Learn: Managed DevOps Pools, configure-security"


def _row(name: str, default: Value, *choices: str, about: str, known: str = "unknown", source: str = "-") -> Switch:
    return Switch(f"devops.{name}", default, about, known, source, choices)


RIGHTS: tuple[Switch, ...] = (
    _row(
        "pool-service-role-name",
        "Service Account",
        "Service Account",
        "ServiceAccount",
        about="Name of the agent pool role between Reader and Administrator",
        known="the display name is documented, the name is not",
        source="Microsoft Learn: agent pool roles",
    ),
    _row(
        "pool-administrator-bits",
        27,
        about="allowPermissions of the Administrator role of agent pools and queues",
        known="not published; 59 is reported of machine groups on-premises",
    ),
    _row(
        "pool-role-resource-zero",
        "reader",
        "reader",
        "as-requested",
        about="What becomes of an Administrator assigned with scope agentpoolrole to resource 0",
        known="came out as Reader",
        source="terraform-provider-azuredevops #1592",
    ),
    _row(
        "own-pool-role",
        "accepted",
        "accepted",
        "refused",
        about="Whether callers may change their own role on one pool",
        known="one report of a refusal",
        source="terraform-provider-azuredevops #1592",
    ),
    _row(
        "inheritance-off",
        "drops",
        "drops",
        "copies",
        about="Whether inherited roles are dropped, or kept as assigned ones, when inheritance is switched off",
    ),
    _row(
        "acl-inherit-flag",
        "follows",
        "follows",
        "always-on",
        about="Whether inheritPermissions of an access control list shows the inheritance switch of security roles",
        known="the same namespace and token; nothing says that it is the same flag",
        source="vsts-rest-api-specs security 7.2",
    ),
    _row(
        "removing-inherited-role",
        "ignored",
        "ignored",
        "refused",
        about="The answer to removing a role that is inherited: 200 without effect, or an error",
        known="it cannot be removed while inheritance is on",
        source="Microsoft Learn: about security roles",
    ),
    _row(
        "entra-group-members",
        "listed",
        "listed",
        "hidden",
        about="Whether identities show the members of an Entra group, or an empty list as for a group without members",
    ),
    _row(
        "service-principal-creator",
        "inheritance-off",
        "inheritance-off",
        "inheritance-on",
        "administrator",
        about="A service principal that creates with CreatorOnly: not Administrator (inheritance off, on), or made so",
        known="not made Administrator; inheritance on until about July 2026, off since",
        source="azure-rest-api-specs #41786, terraform-provider-azurerm #32630",
    ),
    _row(
        "specific-accounts-inheritance",
        "on",
        "on",
        "off",
        about="Inheritance of an agent pool created with SpecificAccounts",
        known="not stated",
        source=LEARN,
    ),
    _row(
        "unknown-identity-ids",
        "null",
        "null",
        "absent",
        about="Reading identities by ids of which one is unknown: a null in its place, or nothing",
    ),
    _row(
        "entitlement-of-member",
        "replaced",
        "replaced",
        "refused",
        about="What happens to an entitlement added for an identity that has one: it is replaced, lower or not, or the "
        "operation fails",
    ),
    _row(
        "service-identities-in-search",
        "found",
        "found",
        "absent",
        about="Whether the search of identities finds build services, by Build and their id, or only lists show them",
    ),
    _row(
        "unique-name-of-groups",
        "full-name",
        "full-name",
        "domain",
        about="uniqueName of a group in role assignments: its full name, or its domain and its own name",
        known="not published; references to groups elsewhere have been seen with the domain",
        source="vsts-rest-api-specs securityRoles 7.2",
    ),
)
