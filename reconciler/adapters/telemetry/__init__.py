"""OpenTelemetry behind the telemetry port: exporters, and what must stay quiet."""
