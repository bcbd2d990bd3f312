"""A value that readers see a while after it was written, as on the Azure DevOps plane.

Writes there are not always visible at once (terraform-provider-azuredevops, pull requests 929 and 986: the provider
polls after a PATCH). The lag is the switch `devops.write-lag`, in seconds, read at the moment of the write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Visible(Generic[T]):
    """Versions of a value with the moment from which each is seen. Values should not be changed in place."""

    def __init__(self, value: T, *, now: Callable[[], float], lag: Callable[[], float]) -> None:
        self._now, self._lag = now, lag
        self._versions: list[tuple[float, T]] = [(now(), value)]

    @property
    def written(self) -> T:
        """The value written last, visible or not."""
        return self._versions[-1][1]

    def read(self) -> T:
        """What a reader sees now."""
        now = self._now()
        while len(self._versions) > 1 and self._versions[1][0] <= now:
            del self._versions[0]
        return self._versions[0][1]

    def write(self, value: T) -> None:
        """Make a value visible after the lag, and never before an earlier one."""
        self._versions.append((max(self._now() + self._lag(), self._versions[-1][0]), value))
