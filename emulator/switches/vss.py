"""Switches of the Azure DevOps plane that hold for every route."""

from __future__ import annotations

from emulator.switch import Switch

RATE = "Microsoft Learn: Azure DevOps rate limits"

SWITCHES: tuple[Switch, ...] = (
    Switch(
        name="devops.rate-limit",
        default=False,
        about="Whether calls use up a budget per identity and are slowed, then blocked, beyond it.",
        known="200 TSTU per identity in a sliding five-minute window.",
        source=RATE,
    ),
    Switch(
        name="devops.tstu-budget",
        default=200.0,
        about="TSTU an identity may use in five minutes before its calls are slowed.",
        known="200; more with Basic + Test Plans.",
        source=RATE,
    ),
    Switch(
        name="devops.tstu-per-call",
        default=0.5,
        about="TSTU one call costs.",
        known="The cost of a call is not published.",
        source="-",
    ),
    Switch(
        name="devops.block-factor",
        default=2.0,
        about="At how many times the budget calls are answered 429 instead of being slowed.",
        known="Requests are delayed or blocked; where the one turns into the other is not published.",
        source=RATE,
    ),
    Switch(
        name="devops.rate-limit-headers-at",
        default=2.0,
        about="From which share of the budget X-RateLimit-* (without Delay) are on calls that are not slowed; above 1 "
        "on none.",
        known="Sent before calls are delayed; from where on is not published, and clients report them on slowed calls.",
        source=RATE,
    ),
    Switch(
        name="devops.audit-event-shape",
        default="entry",
        choices=("entry", "list"),
        about="What `data` of an audit event on Event Grid holds: one audit entry, or a list of them.",
        known="The shape is not published; streams are bundled every half hour or less.",
        source="Microsoft Learn: Azure DevOps audit streaming",
    ),
    Switch(
        name="devops.audit-user-agent",
        default=True,
        about="Whether an audit entry has the `User-Agent` of the call that caused it; empty otherwise.",
        known="An entry has the field `userAgent`; that calls of services fill it is not published.",
        source="vsts-rest-api-specs: audit 7.2, DecoratedAuditLogEntry",
    ),
    Switch(
        name="devops.sign-in",
        default="203",
        choices=("203", "302"),
        about="How a GET or POST without a valid token is sent to the sign-in page.",
        known="203 with an HTML page on most routes, 302 to /_signin on some.",
        source="vsts-rest-api-specs #574 and #97; azure-devops-docs #13661",
    ),
)
