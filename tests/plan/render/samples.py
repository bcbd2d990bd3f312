"""Plans that the tests of rendering share: the one of the documentation, one with everything, and random ones."""

from __future__ import annotations

from hypothesis import strategies as st

from reconciler.plan.model import Action, Change, Detail, Gap, GapKind, Plan, Refusal, Remark, Risk, Route

REVISION = "3f2a91c8d17b5c0e9a6f4b2d8e1c7a5b3d9f0e2c"

LARGER = Change(
    facet="pool",
    kind="pool",
    subject="fabrikam-managed-pool",
    action=Action.UPDATE,
    before="observed",
    after="desired",
    risk=Risk.NEUTRAL,
    route=Route.ARM,
    details=(Detail("maximumConcurrency", 4, 6, note="in place"),),
)
OPENED = Change(
    facet="open_access",
    kind="open access",
    subject="fabrikam-tailspin/Web",
    action=Action.CREATE,
    before=None,
    after="all pipelines",
    risk=Risk.WIDENS,
    route=Route.DEVOPS,
    args={"queue": 7},
)
REMOVED = Change(
    facet="roles",
    kind="administrator",
    subject="fabrikam-prime  bob@fabrikam.com",
    action=Action.REMOVE,
    before="Administrator",
    after=None,
    risk=Risk.NARROWS,
    route=Route.DEVOPS,
)
MADE = Change(
    facet="queues",
    kind="queue",
    subject="fabrikam-prime/fabrikam-dev",
    action=Action.CREATE,
    before=None,
    after="fabrikam-managed-pool",
    risk=Risk.NEUTRAL,
    route=Route.DEVOPS,
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
changes = st.builds(
    Change,
    words,
    words,
    words,
    st.sampled_from(Action),
    values,
    values,
    st.sampled_from(Risk),
    st.sampled_from(Route),
    args=st.dictionaries(words, values, max_size=2),
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
