"""Which project of which organization a question is about. Pure; an ambiguous name is an error, never a guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.documents.spelling import nearest
from reconciler.errors import NotFound, SpecInvalid
from reconciler.spec.model import Organization, Spec


@dataclass(frozen=True, slots=True)
class Question:
    """Whether one project or pipeline may run on one pool."""

    spec: Spec
    organization: Organization
    project: str
    """As written."""
    pipeline: str | int | None = None
    r"""Id, path (``\release\nightly``) or bare name; None: any pipeline of the project."""

    @property
    def place(self) -> str:
        """``organization/project``."""
        return f"{self.organization.name}/{self.project}"


def parse_question(spec: Spec, project: str, pipeline: str = "") -> Question:
    """`project` is ``organization/project``, or the project alone where it can be of one organization only."""
    if not spec.organizations:
        raise SpecInvalid(f"{spec.name}: the pool is for GitHub, and uses nothing in Azure DevOps")
    head, slash, tail = project.partition("/")
    organization = _named(spec, head) if slash else _only(spec, project)
    name = (tail if slash else project).strip()
    if not name:
        raise SpecInvalid(f"project: {project!r} names no project; write organization/project")
    which: str | int | None = int(pipeline) if pipeline.isdecimal() else pipeline or None
    return Question(spec, organization, _spelt(name, organization.projects), which)


def _named(spec: Spec, name: str) -> Organization:
    for organization in spec.organizations:
        if organization.name == name.lower():
            return organization
    names = [one.name for one in spec.organizations]
    near = nearest(name, names)
    advice = f"did you mean {near}?" if near else f"it has {', '.join(names)}"
    raise NotFound(f"{spec.name}: no organization of this pool is called {name}; {advice}")


def _only(spec: Spec, project: str) -> Organization:
    """The organization that lists the project, else the one that takes all projects."""
    listing = [one for one in spec.organizations if project.casefold() in map(str.casefold, one.projects)]
    taking = listing or [one for one in spec.organizations if not one.projects] or list(spec.organizations)
    if len(taking) > 1:
        places = " or ".join(f"{one.name}/{project}" for one in taking)
        raise SpecInvalid(f"project: {project} may be of several organizations of {spec.name}; write {places}")
    return taking[0]


def _spelt(name: str, known: Sequence[str]) -> str:
    return next((one for one in known if one.casefold() == name.casefold()), name)
