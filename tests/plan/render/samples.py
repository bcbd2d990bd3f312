"""Plans that the tests of rendering share: the one of the documentation, one with everything, and random ones."""

from __future__ import annotations

from hypothesis import strategies as st

from reconciler.plan.model import Change, Detail, Gap, GapKind, Plan, Refusal, Remark, Risk
from reconciler.plan.targets import (
    AgentPoolPlace,
    CreatePool,
    NewQueue,
    OpenAccess,
    ProjectPlace,
    QueuePlace,
    ReplacePool,
    RoleAssignmentChange,
    UpdatePool,
)

REVISION = "3f2a91c8d17b5c0e9a6f4b2d8e1c7a5b3d9f0e2c"

LARGER = Change(
    facet="pool",
    kind="pool",
    subject="fabrikam-managed-pool",
    before="observed",
    after="desired",
    target=UpdatePool("/pools/fabrikam-managed-pool", {}),
    details=(Detail("maximumConcurrency", 4, 6, note="in place"),),
)
OPENED = Change(
    facet="open_access",
    kind="open access",
    subject="fabrikam-tailspin/Web",
    before=None,
    after="all pipelines",
    target=OpenAccess(QueuePlace("fabrikam-tailspin", "id-web", "Web", 7, 2), allow=True),
)
REMOVED = Change(
    facet="roles",
    kind="administrator",
    subject="fabrikam-prime  bob@fabrikam.com",
    before="Administrator",
    after=None,
    target=RoleAssignmentChange(
        AgentPoolPlace("fabrikam-prime", 1), "id-bob", "bob@fabrikam.com", "Administrator", None
    ),
)
MADE = Change(
    facet="queues",
    kind="queue",
    subject="fabrikam-prime/fabrikam-dev",
    before=None,
    after="fabrikam-managed-pool",
    target=NewQueue(ProjectPlace("fabrikam-prime", "id-dev", "fabrikam-dev"), 1, "fabrikam-managed-pool"),
    wait_once="the service makes queues by itself after an update",
)
LAST = Refusal(REMOVED, "last-administrator", "roles: fabrikam-prime would be left with 0 administrators")
HIDDEN = Gap(
    "open_access", "fabrikam-tailspin/Ghost", GapKind.DEGRADED, "NotFound", "open access: project Ghost is hidden"
)
DEAD = Gap("roles", "", GapKind.UNKNOWN, "Unavailable", "roles: fabrikam-prime answered 503", retry_after=30.0)

DRIFTED = Plan("fabrikam-managed-pool", REVISION, (LARGER, OPENED, REMOVED))
EVERYTHING = Plan("fabrikam-managed-pool", REVISION, (LARGER, MADE, OPENED), (LAST,), (HIDDEN, DEAD))
IN_SYNC = Plan("fabrikam-managed-pool", REVISION)
UNSEEN = Remark(
    "prerequisites", "key vault build admit", "key vault build: admit the service's addresses: not seen: 403"
)
REMARKED = Plan("fabrikam-managed-pool", REVISION, remarks=(UNSEEN,))
BLIND = Plan("fabrikam-managed-pool", "", gaps=(DEAD,))

words = st.text(max_size=60)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    words,
    st.lists(words, max_size=3),
    st.dictionaries(words, words, max_size=3),
)
details = st.builds(Detail, words, values, values, st.sampled_from(Risk), words)
bodies = st.dictionaries(words, values, max_size=2)
targets = st.one_of(
    st.builds(OpenAccess, st.builds(QueuePlace, words, words, words, st.integers(), st.integers()), st.booleans()),
    st.builds(
        RoleAssignmentChange,
        st.builds(AgentPoolPlace, words, st.integers()),
        words,
        words,
        st.none() | words,
        st.none() | words,
    ),
    st.builds(CreatePool, words, bodies),
    st.builds(UpdatePool, words, bodies),
    st.builds(ReplacePool, words, bodies, st.lists(words, max_size=2).map(tuple)),
)
changes = st.builds(
    Change,
    words,
    words,
    words,
    values,
    values,
    targets,
    details=st.lists(details, max_size=3).map(tuple),
    note=words,
    wait_once=words,
)
gaps = st.builds(Gap, words, words, st.sampled_from(GapKind), words, words)
refusals = st.builds(Refusal, changes, words, words)
plans = st.builds(
    Plan,
    words,
    words,
    st.lists(changes, max_size=4).map(tuple),
    st.lists(refusals, max_size=2).map(tuple),
    st.lists(gaps, max_size=2).map(tuple),
    st.lists(st.builds(Remark, words, words, words), max_size=2).map(tuple),
)
