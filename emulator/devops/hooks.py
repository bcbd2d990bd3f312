"""Subscriptions of service hooks (vsts-rest-api-specs hooks 7.2). Secrets come back masked; there is no signature."""

from __future__ import annotations

import ipaddress
import uuid
from urllib.parse import urlsplit

from emulator.devops import access, auditing, people, refusals, responses
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.world import World

REQUIRED = ("publisherId", "eventType", "consumerId", "consumerActionId")


def _entered(world: World, request: Request) -> access.RequestScope:
    place = access.enter(world, request)
    place.require_administrator("service hooks")
    return place


def list_all(world: World, request: Request) -> Response:
    """By publisher, event, consumer and action."""
    place = access.enter(world, request)
    found = list(place.organization.hooks.values())
    for key in REQUIRED:
        if value := request.query.get(key.lower()):
            found = [one for one in found if one[key].lower() == value.lower()]
    return responses.wrapped(_shown(one) for one in found)


def _shown(one: dict[str, Json]) -> Json:
    inputs = {key: "********" if _secret(key) else value for key, value in one["consumerInputs"].items()}
    return {**one, "consumerInputs": inputs}


def _secret(name: str) -> bool:
    return name == "httpHeaders" or auditing.masked(name, "") != ""


def _find(place: access.RequestScope) -> dict[str, Json]:
    key = place.request.params["subscriptionId"].lower()
    found = place.organization.hooks.get(key)
    if found is None:
        raise ApiError(404, "SubscriptionNotFoundException", f"Subscription {key} was not found.")
    return found


def get(world: World, request: Request) -> Response:
    """One subscription."""
    return Response(body=_shown(_find(access.enter(world, request))))


def create(world: World, request: Request) -> Response:
    """A new subscription."""
    place = _entered(world, request)
    fields = _checked(place)
    key = str(uuid.UUID(people.guid("hook", place.organization.name, str(place.organization.next_id("hook")))))
    who, now = responses.person(place.organization, place.caller.id), world.clock.stamp()
    place.organization.hooks[key] = {
        "id": key,
        "url": f"{place.base}/_apis/hooks/subscriptions/{key}",
        "status": "enabled",
        "resourceVersion": fields.get("resourceVersion") or "1.0",
        "createdBy": who,
        "createdDate": now,
        "modifiedBy": who,
        "modifiedDate": now,
        **_own(fields),
    }
    return Response(body=_shown(place.organization.hooks[key]))


def _own(fields: dict[str, Json]) -> dict[str, Json]:
    return {
        **{key: str(fields[key]) for key in REQUIRED},
        "publisherInputs": dict(fields.get("publisherInputs") or {}),
        "consumerInputs": dict(fields["consumerInputs"]),
    }


def _checked(place: access.RequestScope) -> dict[str, Json]:
    fields = place.fields("subscription")
    for key in REQUIRED:
        if not isinstance(fields.get(key), str) or not fields[key]:
            raise refusals.missing(key)
    inputs = fields.get("consumerInputs")
    url = inputs.get("url") if isinstance(inputs, dict) else None
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise refusals.missing("consumerInputs.url")
    if not isinstance(fields.get("resourceVersion", ""), str | None):
        raise refusals.bad_argument("The value is not valid for resourceVersion.")
    for name in ("publisherInputs", "consumerInputs"):
        if not all(isinstance(value, str) for value in access.mapping(fields.get(name), name).values()):
            raise refusals.bad_argument(f"The value is not valid for {name}.")
    if place.world.switches.word("devops.hook-loopback") == "refused" and _special(urlsplit(url).hostname or ""):
        raise refusals.bad_argument(f"The target {urlsplit(url).hostname} is in a range that is not allowed.")
    return fields


def _special(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost"


def replace(world: World, request: Request) -> Response:
    """Another subscription under the same id."""
    place = _entered(world, request)
    found = _find(place)
    found.update(_own(_checked(place)))
    found["modifiedDate"] = world.clock.stamp()
    found["modifiedBy"] = responses.person(place.organization, place.caller.id)
    return Response(body=_shown(found))


def delete(world: World, request: Request) -> Response:
    """No more subscription."""
    place = _entered(world, request)
    del place.organization.hooks[_find(place)["id"]]
    return Response()
