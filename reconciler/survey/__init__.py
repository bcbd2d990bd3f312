"""The reads of one batch, shared: every fact is read once, independent projects four at a time.

In a converged estate almost all work is reading. A survey stands between the facets and the readers: it knows which
agent pools the batch is about, fetches per-project lists once for all of them, and remembers the responses. A
decision to write is taken on a new survey.

::

    port      what facets may ask (`Survey`)
    shared    the survey itself (`SharedSurvey`)
    ahead     the first reads of an organization, sent before a facet needs them
    access    open access from a cheap list and pair reads, and when the list counts
    list_completeness  whether an organization's list was shown to be complete (`ListEvidence`); pairs to try next
    evidence  what a process knows, by organization, each fact with its moment; outlives messages
    organization_facts  what is known of one organization
    scopes    what a request is about
    demand    how fresh which facts have to be for a request
    rotation  which facts a sweep reads again where a change feed stands for the others
    azure_resources  prerequisites of pools in Azure, each fact once
    arm_pools  pools in ARM: by one list, by their own route, or by name wherever they are
    moves     whether a pool of the same name elsewhere is the one that was recorded
    queue_uses  what belongs to a queue or refers to it by id, before it is deleted
    owed      checks that the queues of a replaced pool had, and which of them were found
    organization_queues  one list of queues for all projects, where `probe` found that the organization has it
    capabilities  what `probe` found, and what follows for reads
    scope     what a batch of specs is about
    feeds     how far the change feed of an organization is believed
    fact_codecs  how facts are stored between processes
    hidden    projects that exist and cannot be seen
    owners    whose a queue is, as far as it is known without a request
    operators  the identities that no run may lock out, and what groups mean for rights
    names     what a spec's names stand for, by id where something was renamed
    forecast  what would be read after planned changes took effect (`Forecast`)
    principals  which project a group or build service of a spec belongs to, and who principals are
    memo      each fact of a message once, also when two threads request it at once
    touched   which facts a write touches
    rests_on  which facts a change rests on
    parallel_reads  a few reads of one organization at a time
    side_by_side  facts of one organization that are read so, each with its own error
"""

from __future__ import annotations

from reconciler.survey.list_completeness import ListEvidence
from reconciler.survey.port import Survey
from reconciler.survey.shared import SharedSurvey

__all__ = ["ListEvidence", "SharedSurvey", "Survey"]
