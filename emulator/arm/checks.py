"""What the service refuses before a write becomes an operation: form, rules, conditions, quota, and what must stay."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.arm import catalog, echo, operations, rules
from emulator.arm.errors import refused
from emulator.arm.model import POOL, UPDATE, Field
from emulator.arm.schema import BodyCheck, BodyProblem
from emulator.documents import Json
from emulator.frame import ApiError, Request
from emulator.state.arm import Body, ManagedPool
from emulator.world import World

FAILED = "The resource validation failed."
TAKEN = "Managed DevOps pool {name} is already in use. Please choose a pool name that has not been taken."


def checked(world: World, request: Request, model: Field, raw: Json) -> Body:
    """The body as the service takes it, or 400."""
    if not isinstance(raw, dict):
        words = "The request content was invalid and could not be deserialized: 'it must be a JSON object'."
        raise ApiError(400, "InvalidRequestContent", words)
    if model is POOL and not raw.get("location"):
        raise ApiError(400, "LocationRequired", "The location property is required for this definition.")
    word = world.switches.word
    check = BodyCheck(
        request.query["api-version"],
        unknown=word("arm.unknown-properties"),
        newer=word("arm.newer-properties"),
        values=word("arm.unknown-values"),
        partial=model is UPDATE,
    )
    taken = check.take(model, raw)
    if check.problems:
        raise invalid(world, check.problems)
    taken.get("properties", {}).pop("provisioningState", None)
    if model is POOL:
        judge(world, taken)
    return dict(taken)


def judge(world: World, body: Body) -> None:
    """Refuse what the rules refuse."""
    problems = list(rules.problems(body, parallelism=world.switches.on("arm.parallelism-check")))
    if problems:
        raise invalid(world, problems)


def invalid(world: World, problems: list[BodyProblem]) -> ApiError:
    """400 ResourceCreationValidateFailed, with every place where the switch wants them."""
    if not world.switches.on("arm.error-details"):
        return refused(400, "ResourceCreationValidateFailed", FAILED)
    said = [p.words for p in problems if p.words[:1].isupper()]
    details = [{"code": "InvalidProperty", "target": p.path, "message": f"{p.path}: {p.words}"} for p in problems]
    message = said[0] if said else f"{FAILED} {details[0]['message']}"
    return refused(400, "ResourceCreationValidateFailed", message, details=details)


def conditions(world: World, request: Request, found: ManagedPool | None) -> None:
    """A second write at the same time, and If-Match, as far as switches let them count."""
    if found is not None and found.operation and world.switches.word("arm.concurrent-write") == "refused":
        words = f"Another operation on the resource '{found.id}' is in progress."
        raise refused(409, "Conflict", words, headers=operations.pause(world))
    if world.switches.word("arm.if-match") == "ignored":
        return
    match, none = request.headers.get("If-Match", ""), request.headers.get("If-None-Match", "")
    tag = echo.etag(found) if found else ""
    if (match and match not in ("*", tag)) or (match and not found) or (none == "*" and found):
        raise refused(
            412, "PreconditionFailed", f"The condition does not hold; the resource has the ETag {tag or '-'}."
        )


def creatable(world: World, pool: ManagedPool) -> None:
    """Refuse a name that is wrong or taken, and machines that are not to be had."""
    said = rules.name_problem(pool.name)
    if said is None and world.arm.named(pool.name):
        said = TAKEN.format(name=pool.name)
    if said is not None:
        raise invalid(world, [BodyProblem("name", said)])
    machines(world, pool)


def machines(world: World, pool: ManagedPool) -> None:
    """SKU and quota, in the words of the service (Microsoft Learn, troubleshooting; AVM module for pools)."""
    name, location = pool.properties["fabricProfile"]["sku"]["name"], pool.body["location"]
    sku = catalog.find(name)
    if sku is None:
        if world.switches.word("arm.unknown-sku") == "refused":
            raise invalid(world, [BodyProblem("properties.fabricProfile.sku.name", _no_sku(name, location))])
        return
    subscription = world.arm.subscriptions[pool.subscription.lower()]
    limit = subscription.cores.get(sku.family)
    needed = sku.cores * int(pool.properties["maximumConcurrency"])
    if limit is not None and needed > limit:
        words = (
            f"Cores needed to complete this request is {needed}, which exceeds the current limit of {limit} "
            f"for SKU family {sku.family} in region {location}."
        )
        raise invalid(world, [BodyProblem("properties.maximumConcurrency", words)])


def _no_sku(name: str, location: str) -> str:
    return f"SKU family {name} is not available in location {location}"


def keep(world: World, before: Body, after: Body) -> None:
    """What a write cannot change stays as it was, or is refused, as the switches say."""
    old, new = before["organizationProfile"], after["organizationProfile"]
    if old["kind"] != "AzureDevOps" or new["kind"] != "AzureDevOps":
        return
    rule = world.switches.word("arm.permission-profile-change")
    if rule == "refused" and "permissionProfile" in new and new["permissionProfile"] != old.get("permissionProfile"):
        words = "must not change after creation"
        raise invalid(world, [BodyProblem("properties.organizationProfile.permissionProfile", words)])
    if (rule == "ignored" or "permissionProfile" not in new) and "permissionProfile" in old:
        new["permissionProfile"] = old["permissionProfile"]
    _keep_organizations(world, old["organizations"], new["organizations"])
    if world.switches.word("arm.alias-change") == "refused" and _aliases(old) != _aliases(new):
        raise invalid(world, [BodyProblem("properties.organizationProfile.alias", "must not change after creation")])


def _keep_organizations(world: World, old: list[Body], new: list[Body]) -> None:
    known: Mapping[str, Body] = {item["url"].rstrip("/").lower(): item for item in old}
    ignored = world.switches.word("arm.open-access-change") == "ignored"
    for item in new:
        before = known.get(item["url"].rstrip("/").lower(), {})
        if "openAccess" in before and (ignored or "openAccess" not in item):
            item["openAccess"] = before["openAccess"]


def _aliases(profile: Body) -> list[Json]:
    return [profile.get("alias"), *(item.get("alias") for item in profile["organizations"])]
