"""The scope of a request: its organization, its caller, the project, pool or queue that it names, and its body."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from emulator.devops import people, refusals, rights
from emulator.documents import Json
from emulator.frame import Request
from emulator.state.devops import AgentPool, Identity, Organization, Project, Queue
from emulator.world import World


@dataclass(frozen=True, slots=True)
class RequestScope:
    """A request with the objects that its path names."""

    world: World
    request: Request
    organization: Organization
    caller: Identity

    @property
    def base(self) -> str:
        """``http://127.0.0.1:PORT/{organization}``, without a slash at the end."""
        return f"{self.request.base_url.rstrip('/')}/{self.organization.name}"

    def project(self, area: str = "") -> Project:
        """The project of the path, by id or name; what the caller cannot see does not exist."""
        return self.find_project(self.request.params["project"], area)

    def find_project(self, key: str, area: str = "") -> Project:
        """A project by id or name, well formed and visible."""
        found = self.organization.project_named(key)
        if found and found.state == "wellFormed" and self.sees(found):
            return found
        status = 400 if area == refusals.BUILD else int(self.world.switches.number("devops.missing-project-status"))
        raise refusals.no_project(key, by_id=is_guid(key), status=status)

    def sees(self, project: Project) -> bool:
        """Whether a project exists for the caller."""
        return rights.sees_project(self.world, self.organization, self.caller, project)

    def pool(self, key: str | None = None) -> AgentPool:
        """The agent pool of the path; what the caller cannot see does not exist."""
        text = self.request.params["poolId"] if key is None else key
        found = self.organization.pools.get(number(text, "poolId"))
        if found is None or not rights.sees_pool(self.organization, self.caller, found):
            raise refusals.no_pool(text)
        return found

    def queue(self, project: Project, key: str | None = None) -> Queue:
        """The agent queue of the path, within its project."""
        text = self.request.params["queueId"] if key is None else key
        found = self.organization.queues.get(number(text, "queueId"))
        if found is None or found.project != project.id:
            raise refusals.no_queue(text)
        if not rights.sees_queue(self.organization, self.caller, found):
            raise refusals.no_queue(text)
        return found

    def may(self, token: str, wanted: int) -> bool:
        """Whether the caller has all of these bits."""
        return rights.bits(self.organization, self.caller, token) & wanted == wanted

    def require(self, token: str, wanted: int, *, right: str, what: str) -> None:
        """403 where the caller lacks one of these bits."""
        if not self.may(token, wanted):
            raise refusals.denied(self.caller, right, what)

    def require_administrator(self, what: str) -> None:
        """403 for all but Project Collection Administrators."""
        if not rights.administers(self.organization, self.caller):
            raise refusals.denied(self.caller, "Manage", what)

    def fields(self, name: str = "body") -> dict[str, Json]:
        """The body as an object."""
        if self.request.body is None:
            raise refusals.missing(name)
        if not isinstance(self.request.body, dict):
            raise refusals.bad_argument(f"The body has to be an object.\r\nParameter name: {name}")
        return self.request.body

    def items(self, name: str = "body") -> list[Json]:
        """The body as an array."""
        if self.request.body is None:
            raise refusals.missing(name)
        if not isinstance(self.request.body, list):
            raise refusals.bad_argument(f"The body has to be an array.\r\nParameter name: {name}")
        return self.request.body


def enter(world: World, request: Request) -> RequestScope:
    """Find the organization and the caller in it; a caller who is not a member is not authorized."""
    devops = world.devops
    organization = devops.organization(request.params["organization"])
    return RequestScope(world, request, organization, caller(world, organization, request.caller))


def caller(world: World, organization: Organization, name: str) -> Identity:
    """Who a principal is in an organization.

    A person in an Entra group that was added is let in on the first visit; a service principal has to be added itself
    (Microsoft Learn: service principals and managed identities).
    """
    found = organization.by_name.get(name.lower())
    if found is not None:
        return found
    principal = world.principals[name]
    entered = people.known(principal, organization)
    if principal.kind == "user" and any(entered.id in group.members for group in organization.groups()):
        return organization.add_identity(entered)
    raise refusals.not_member(principal.oid)


def is_guid(text: Json) -> bool:
    """Whether a value is a text that reads as a guid."""
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True


def number(text: Json, name: str) -> int:
    """A whole number of a path, a query or a body."""
    if isinstance(text, bool | float):
        raise refusals.bad_argument(f"The value '{text}' is not valid for {name}.")
    try:
        return int(text)
    except (TypeError, ValueError):
        raise refusals.bad_argument(f"The value '{text}' is not valid for {name}.") from None


def numbers(text: str, name: str) -> list[int]:
    """Whole numbers with commas between."""
    return [number(part.strip(), name) for part in text.split(",") if part.strip()]


def texts(value: Json, name: str) -> list[str]:
    """A list of texts of a body; empty where there is none."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise refusals.bad_argument(f"The value '{value}' is not valid for {name}.")
    return value


def mapping(value: Json, name: str) -> dict[str, Json]:
    """An object inside a body; empty where there is none."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refusals.bad_argument(f"The value '{value}' is not valid for {name}.")
    return value


def truthy(text: str | None) -> bool:
    """A boolean of a query."""
    return (text or "").lower() == "true"
