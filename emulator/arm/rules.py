"""What the service refuses beyond types: sums, names, forms and limits, in its own words where they are published.

Sources: Microsoft Learn, Managed DevOps Pools (configure-security, prerequisites, troubleshooting); the checks of
terraform-provider-azurerm and of the Azure Verified Module for pools.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from emulator.arm.names import organization_of
from emulator.arm.schema import BodyProblem
from emulator.documents import Json
from emulator.state.arm import Body

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9.-]{1,42}[a-zA-Z0-9-]")
"""3 to 44 characters, not ending in a full stop (terraform-azurerm-avm-res-devopsinfrastructure-pool)."""
SPAN = re.compile(r"(?:(\d+)\.)?(\d{2}):(\d{2}):(\d{2})")
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d")
PREDICTIONS = {"timezone": "timeZone", "daysdata": "daysData"}
"""Fields of `resourcePredictions`, in lower case, and as the product's pages spell them."""
WEEK = 7 * 24 * 3600
DAYS = (1, 7)
LARGEST_DISK = 32767
SUM = "The sum of parallelism for all organizations must equal the max concurrency"


def problems(body: Body, *, parallelism: bool = True) -> Iterator[BodyProblem]:
    """Everything wrong with a body whose types are right. `parallelism`: whether the sum is checked."""
    properties = body["properties"]
    yield from _tags(body.get("tags"))
    yield from _identity(body)
    yield from _organizations(properties, parallelism=parallelism)
    yield from _agents(properties)
    yield from _images(properties["fabricProfile"]["images"])
    yield from _disks(properties["fabricProfile"])


def name_problem(name: str) -> str | None:
    """What is wrong with a pool's name; None where nothing is."""
    if NAME.fullmatch(name):
        return None
    return f"The name {name!r} is not valid: 3 to 44 letters, digits, '-' and '.', beginning with a letter or digit."


def _tags(tags: Json) -> Iterator[BodyProblem]:
    if tags is None:
        return
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        yield BodyProblem("tags", "must be an object of strings")


def _identity(body: Body) -> Iterator[BodyProblem]:
    identity = body.get("identity") or {}
    assigned = identity.get("userAssignedIdentities") or {}
    if "UserAssigned" in str(identity.get("type", "")) and not assigned:
        yield BodyProblem("identity.userAssignedIdentities", "must name at least one identity with type UserAssigned")
    secrets = (body["properties"]["fabricProfile"].get("osProfile") or {}).get("secretsManagementSettings") or {}
    if secrets.get("observedCertificates") and len(assigned) > 1:
        yield BodyProblem("identity", "only one identity may be assigned to a pool that uses Key Vault certificates")


def _organizations(properties: Body, *, parallelism: bool) -> Iterator[BodyProblem]:
    profile, path = properties["organizationProfile"], "properties.organizationProfile"
    listed = profile["organizations"]
    if not listed:
        yield BodyProblem(f"{path}.organizations", "must not be empty")
    if profile["kind"] != "AzureDevOps":
        return
    names = [organization_of(item["url"]) for item in listed]
    for index, name in enumerate(names):
        if name is None:
            words = f"must be https://dev.azure.com/{{organization}}, not {listed[index]['url']!r}"
            yield BodyProblem(f"{path}.organizations[{index}].url", words)
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if twice:
        yield BodyProblem(f"{path}.organizations", f"names the organization {twice[0]} more than once")
    most = properties["maximumConcurrency"]
    if most == 1 and len(listed) > 1:
        yield BodyProblem(
            f"{path}.organizations", "only one organization may be configured with a max concurrency of 1"
        )
    given = [item.get("parallelism") or 0 for item in listed]
    for index, count in enumerate(given):
        if count < 0:
            yield BodyProblem(f"{path}.organizations[{index}].parallelism", f"must not be negative, it is {count}")
    if parallelism and any(given) and sum(given) != most:
        yield BodyProblem(f"{path}.organizations", SUM)


def _agents(properties: Body) -> Iterator[BodyProblem]:
    profile, path = properties["agentProfile"], "properties.agentProfile"
    for name in ("maxAgentLifetime", "gracePeriodTimeSpan"):
        if name in profile:
            seconds = seconds_of(profile[name])
            if seconds is None:
                yield BodyProblem(f"{path}.{name}", f"must be a time span d.hh:mm:ss, not {profile[name]!r}")
            elif seconds > WEEK:
                yield BodyProblem(f"{path}.{name}", f"must be at most 7.00:00:00, not {profile[name]!r}")
    if profile.get("resourcePredictions") is not None:
        found = profile["resourcePredictions"]
        yield from _predictions(found, properties["maximumConcurrency"], f"{path}.resourcePredictions")


def seconds_of(span: str) -> int | None:
    """Seconds of a .NET time span `d.hh:mm:ss`; None where it is none."""
    match = SPAN.fullmatch(span)
    if match is None or int(match[2]) > 23 or int(match[3]) > 59 or int(match[4]) > 59:  # noqa: PLR2004 hours, minutes
        return None
    return int(match[1] or 0) * 86400 + int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4])


def _predictions(found: Json, most: int, path: str) -> Iterator[BodyProblem]:
    if not isinstance(found, dict):
        yield BodyProblem(path, "must be an object")
        return
    names = Counter(name.lower() for name in found)
    wrong = {name: "is not a property of this type" for name in found if name.lower() not in PREDICTIONS}
    wrong |= {name: "is given twice, in two spellings" for name in found if names[name.lower()] > 1}
    yield from (BodyProblem(f"{path}.{name}", words) for name, words in wrong.items())
    days = prediction(found, "daysData")
    if days is None:
        return
    if not isinstance(days, list) or len(days) not in DAYS or not all(isinstance(day, dict) for day in days):
        yield BodyProblem(f"{path}.daysData", "must be one object, or seven beginning with Sunday")
        return
    for index, day in enumerate(days):
        for moment, count in day.items():
            if not TIME.fullmatch(moment):
                yield BodyProblem(f"{path}.daysData[{index}]", f"{moment!r} is no time HH:MM:SS")
            elif not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= most:
                words = f"the count at {moment} must be 0 to {most}, the max concurrency, not {count!r}"
                yield BodyProblem(f"{path}.daysData[{index}]", words)


def prediction(found: Body, name: str) -> Json:
    """A field of `resourcePredictions`, an untyped object: the azurerm provider spells `TimeZone` and `DaysData`."""
    return next((value for spelt, value in found.items() if spelt.lower() == name.lower()), None)


def _images(images: list[Body]) -> Iterator[BodyProblem]:
    path = "properties.fabricProfile.images"
    if not images:
        yield BodyProblem(path, "must not be empty")
    for index, image in enumerate(images):
        if bool(image.get("resourceId")) == bool(image.get("wellKnownImageName")):
            yield BodyProblem(f"{path}[{index}]", "must have exactly one of resourceId and wellKnownImageName")
        buffer = image.get("buffer", "*")
        if buffer != "*" and not (re.fullmatch(r"\d{1,3}", buffer) and int(buffer) <= 100):  # noqa: PLR2004 per cent
            yield BodyProblem(f"{path}[{index}].buffer", f"must be '*' or a whole number from 0 to 100, not {buffer!r}")
    if len(images) > 1 and not all(image.get("aliases") for image in images):
        # With several images a pipeline chooses by alias; the well-known name serves as one.
        for index, image in enumerate(images):
            if not image.get("aliases") and not image.get("wellKnownImageName"):
                yield BodyProblem(f"{path}[{index}].aliases", "an image needs an alias where the pool has several")


def _disks(fabric: Body) -> Iterator[BodyProblem]:
    for index, disk in enumerate((fabric.get("storageProfile") or {}).get("dataDisks") or ()):
        size = disk.get("diskSizeGiB")
        if size is not None and not 1 <= size <= LARGEST_DISK:
            path = f"properties.fabricProfile.storageProfile.dataDisks[{index}].diskSizeGiB"
            yield BodyProblem(path, f"must be 1 to {LARGEST_DISK}, not {size}")
