"""The route to an OTLP collector: that of all other calls, with the SDK's own certificates where it has some."""

from __future__ import annotations

from typing import Any

from reconciler.adapters import network


class CollectorSession(network.RoutedSession):
    """A session for the OTLP exporters, which set `verify` and `cert` from ``OTEL_EXPORTER_OTLP_…``."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """A certificate authority that is named for the collector alone comes before that of all calls."""
        found = super().merge_environment_settings(url, proxies, stream, verify, cert or self.cert)
        return {**found, "verify": self.verify} if isinstance(self.verify, str) else found


def collector_session() -> CollectorSession:
    """Without cookies, ``.netrc`` and retries of its own; the exporter retries."""
    return network.prepared(CollectorSession())
