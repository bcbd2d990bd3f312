"""State, leases and queues in either store, and the stored status of every pool."""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.owned.store import Family, OwnedStore, Whose
from reconciler.bootstrap.connections import credential_of, policy
from reconciler.config.endpoints import storage_endpoints, storage_problem
from reconciler.config.settings import PREFIX, Settings, SettingsInvalid
from reconciler.documents import JsonObject, moment_of
from reconciler.documents.kinds import DAMAGED
from reconciler.errors import Forbidden, NotFound, SpecInvalid
from reconciler.ports.budgets import Need
from reconciler.ports.clock import Clock
from reconciler.ports.stores import StoredDocument, StoreOwnership
from reconciler.safety import Modes, ModeSetting, Safety, SafetyFacts
from reconciler.safety.facts import NOT_CHECKED
from reconciler.safety.modes import VARIABLE, strictest
from reconciler.spec.model import Spec
from reconciler.telemetry import NO_TELEMETRY, Metrics

if TYPE_CHECKING:
    from reconciler.adapters.azure_storage.account import Account
    from reconciler.engine.outlook import Schedule
    from reconciler.engine.status import PoolStatus


class Store(Family, Protocol):
    """State, leases and queues of this deployment, in either store."""

    @property
    def ownership(self) -> StoreOwnership:
        """Which deployment they belong to."""


def store(settings: Settings, clock: Clock, watch: Metrics = NO_TELEMETRY) -> Store:
    """State, leases and queues of this deployment: in a storage account where the setting names one, else in a file.

    `watch`: counts damaged documents.
    """
    settings = with_state(settings)
    inside = in_storage(settings.state)
    place = f"container {settings.container}" if inside else f"state file {settings.state}"
    whose = Whose(place, settings.deployment or (settings.container if inside else ""), settings.container)
    return OwnedStore(_family(settings, clock), whose, clock, watch)


def _family(settings: Settings, clock: Clock) -> Family:
    if in_storage(settings.state):
        from reconciler.adapters.azure_storage.account import Names, Storage  # noqa: PLC0415 - see the package's docstring

        further = frozenset(filter(None, settings.storage_hosts.split(",")))
        return Storage(
            _account(settings),
            Names(settings.container),
            allow_loopback=settings.allow_loopback,
            further=further,
            keep_days=settings.record_days,
        )
    from reconciler.adapters.sqlite.store import Local  # noqa: PLC0415 - see the package's docstring

    path = Path(settings.state)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Forbidden(f"{PREFIX}STATE: {path.parent}: {error.strerror}") from None
    return Local(path, clock, keep_days=settings.record_days)


def record_file(path: Path) -> Family:
    """A file for the record of writes alone, where there is no deployment yet (`onboard`, `history import`)."""
    from reconciler.adapters.sqlite.store import Local  # noqa: PLC0415 - see the package's docstring

    return Local(path, SystemClock())


def with_state(settings: Settings) -> Settings:
    """The settings with the state that the policy names: a stop and a cap there hold on every machine.

    `SettingsInvalid` where `RECONCILER_STATE` names another one, or a token may not be sent there.
    """
    named = None if settings.policy is None else policy(settings).state
    if named is None:
        return settings
    where = f"{settings.policy}:{named.line}: state"
    if settings.state_named and not _same_place(settings.state, named.place):
        text = f"{PREFIX}STATE: is another state than the deployment's, which {where} names; unset it, or name that one"
        raise SettingsInvalid((text,))
    further = frozenset(filter(None, settings.storage_hosts.split(",")))
    for service, url in storage_endpoints(named.place).items():
        if problem := storage_problem(url, service, further, loopback=settings.allow_loopback):
            raise SettingsInvalid((f"{where}: {problem}",))
    return settings if settings.state_named else replace(settings, state=named.place, state_named=True)


def _same_place(one: str, other: str) -> bool:
    """Whether two settings name one state: the same file, or the same blob endpoint."""
    if in_storage(one) and in_storage(other):
        blobs = [storage_endpoints(text).get("blob", text).rstrip("/").lower() for text in (one, other)]
        return blobs[0] == blobs[1]
    return not in_storage(one) and not in_storage(other) and Path(one).resolve() == Path(other).resolve()


def has_store(settings: Settings) -> bool:
    """Whether a store can be expected: a storage account is named, or the state file exists."""
    settings = with_state(settings)
    return in_storage(settings.state) or Path(settings.state).exists()


def require_store(settings: Settings, so: str) -> None:
    """`NotFound` where the state is a file that does not exist: a slip, or nothing ran yet. `so`: what follows."""
    if not has_store(settings):
        settings = with_state(settings)
        hint = "is that the deployment's?" if settings.state_named else f"{PREFIX}STATE names the deployment's"
        raise NotFound(f"state file {settings.state}: does not exist, so {so}; {hint}")


def facts_of(settings: Settings, specs: Sequence[Spec]) -> Mapping[str, SafetyFacts]:
    """The safety facts by pool, for plans; creates no store. `NOT_CHECKED` where no state is there to be read."""
    settings = with_state(settings)
    clock = SystemClock()
    if not has_store(settings):
        unchecked = NOT_CHECKED if not settings.state_named else SafetyFacts()
        modes = strictest([ModeSetting(settings.mode, VARIABLE), unchecked.modes.deployment])
        return {spec.key: replace(unchecked, modes=Modes(modes)) for spec in specs}
    with closing(store(settings, clock)) as kept:
        safety = Safety(kept.safety, clock, settings.mode)
        return {
            spec.key: safety.read(spec.key, [one.name for one in spec.organizations], planning=True) for spec in specs
        }


def recorded_writes(settings: Settings) -> RecordedWrites:
    """The record of writes of the deployment, to be read alone; no store is created or opened before it is read."""
    return RecordedWrites(with_state(settings))


class RecordedWrites:
    """Reads of the record of writes for plans: a few at most, and none where no cap counts over time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def since(self, chain: str, moment: datetime) -> Sequence[JsonObject]:
        """As of `WriteLog`; nothing where there is no store yet."""
        if not has_store(self._settings):
            return ()
        with closing(store(self._settings, SystemClock())) as kept:
            return kept.record.since(chain, moment)

    def chains(self) -> Sequence[str]:
        """As of `WriteLog`."""
        if not has_store(self._settings):
            return ()
        with closing(store(self._settings, SystemClock())) as kept:
            return kept.record.chains()


class ReadState:
    """Reads single documents of the state, for plans; no store is created, or opened before one is read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = with_state(settings)

    def load(self, name: str) -> StoredDocument | None:
        """As of `StateStore`; None where there is no store yet."""
        if not has_store(self._settings):
            return None
        with closing(store(self._settings, SystemClock())) as kept:
            return kept.state.load(name)


def owners_of(settings: Settings) -> Callable[[str, int], str]:
    """Reads which pool has an agent pool on record, for plans: the store is opened where that decides, and not made."""

    def owner(organization: str, number: int) -> str:
        if not has_store(settings):
            return ""
        clock = SystemClock()
        with closing(store(settings, clock)) as kept:
            return Safety(kept.safety, clock, settings.mode).owner_of_agent_pool(organization, number)

    return owner


def in_storage(state: str) -> bool:
    """Whether the setting names a storage account: by the URL of its blobs, or by a connection string."""
    return bool(re.match(r"https?://|[A-Za-z]+=", state))


def caller(settings: Settings) -> str:
    """Who sets a safety fact: whom the token names by which the state is written; the system's user for a file.

    Never what a caller says of itself.
    """
    settings = with_state(settings)
    if not in_storage(settings.state) or "://" not in settings.state.partition("=")[0]:
        return getpass.getuser()
    from reconciler.adapters import credentials, token_claims  # noqa: PLC0415 - see the package's docstring

    token = credential_of(settings).for_azure().get_token(credentials.STORAGE).token
    return token_claims.holder_of(token) or getpass.getuser()


def _account(settings: Settings) -> Account:
    """Blobs and queues of one account; the queues' URL stands behind that of the blobs, or follows from it."""
    from reconciler.adapters.azure_storage.account import Account  # noqa: PLC0415 - see the package's docstring

    if "://" not in settings.state.partition("=")[0]:
        return Account(connection=settings.state)
    url = storage_endpoints(settings.state)
    if url["queue"] == url["blob"]:
        raise SpecInvalid(f"{PREFIX}STATE: a storage account is named by the URL of its blobs, https://NAME.blob.…")
    return Account(blob_url=url["blob"], queue_url=url["queue"], credential=credential_of(settings).for_azure())


def unnamed_pools(settings: Settings, named: Collection[str]) -> tuple[PoolStatus, ...]:
    """The stored statuses of pools that are not named, sorted; creates no store."""
    if not has_store(settings):
        return ()
    from reconciler.engine import unnamed  # noqa: PLC0415 - most folders hold no state

    with closing(store(settings, SystemClock())) as kept:
        return unnamed.gone(kept.state, named)


def needs(settings: Settings) -> tuple[Need, ...]:
    """What full resyncs need of each organization, and what its rate budget allows; creates no store."""
    if not has_store(settings):
        return ()
    from reconciler.engine.rate_needs import needs_of  # noqa: PLC0415 - most folders hold no state

    clock = SystemClock()
    with closing(store(settings, clock)) as kept:
        return needs_of(kept.state, clock.now(), maximum=settings.max_age)


def statuses(settings: Settings, keys: Iterable[str] | None = None) -> tuple[PoolStatus, ...]:
    """The stored status of every pool, or of these, sorted; creates no store."""
    if not has_store(settings):
        return ()
    from reconciler.engine import unnamed  # noqa: PLC0415 - most folders hold no state

    with closing(store(settings, SystemClock())) as kept:
        return unnamed.statuses(kept.state, None if keys is None else tuple(keys))


def schedules(settings: Settings, keys: Iterable[str]) -> dict[str, Schedule]:
    """By pool, when a service reads it again; creates no store."""
    from reconciler.engine.outlook import Schedule  # noqa: PLC0415 - most folders hold no state

    if not has_store(settings):
        return {key: Schedule() for key in keys}
    with closing(store(settings, SystemClock())) as kept:

        def at(name: str) -> datetime | None:
            document = kept.state.load(name)
            return moment_of(document.body.get("at")) if document and isinstance(document.body, Mapping) else None

        swept = at("sweep")
        return {key: Schedule(at(f"follow-ups/{key}") if swept else None, swept) for key in keys}


def last_writes(settings: Settings, keys: Collection[str], since: datetime) -> dict[str, JsonObject]:
    """By pool, the newest write on record of this moment and later; creates no store."""
    from reconciler.engine.history import newest  # noqa: PLC0415 - most folders hold no state

    if not keys or not has_store(settings):
        return {}
    with closing(store(settings, SystemClock())) as kept:
        return newest(kept.record, since, keys)


def state_problems(settings: Settings) -> tuple[str, ...]:
    """What an administrator should know of the state itself: whose it is, and what was set aside; creates no store."""
    if not has_store(settings):
        return ()
    with closing(store(settings, SystemClock())) as kept:
        if (error := kept.ownership.refusal()) is not None:
            return (str(error),)
        found = kept.state.names(DAMAGED)
    if not found:
        return ()
    more = f", … ({len(found)} in all)" if len(found) > 3 else ""  # noqa: PLR2004 - as many as fit on a line
    return (f"state: damaged documents were set aside: {', '.join(found[:3])}{more}; remove them when you have looked",)
