"""The file: YAML or JSON, read as strictly as a policy, each problem one line with its place and its remedy.

It belongs to the deployment like the policy does, so a file that is set and cannot be read ends a run. Nothing here
opens a file; the caller passes its name, for the messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reconciler.documents.spelling import nearest
from reconciler.spec.findings import closed_set, data_path, wrong_type
from reconciler.spec.problem import MOST_PROBLEMS, Finding, Path, Problem, listing, show, spell
from reconciler.spec.source import Unreadable, YamlDocument, documents
from reconciler.survey.capabilities.answers import (
    FORMAT,
    AnswerEvidence,
    Capabilities,
    CapabilityAnswer,
    OrganizationAnswers,
)
from reconciler.survey.capabilities.questions import QUESTIONS, ProbeQuestion, named

_HEAD = """\
# Written by `python -m reconciler probe`: what organizations were seen to do where nothing published says it.
# It belongs to the deployment, like the policy, and never into the repository of the specs. docs/capabilities.md
"""
_MISSING = "is missing; add it, or let `probe` write the file"
_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_FIXED: Mapping[str, Callable[[ErrorDetails], str]] = {
    "literal_error": closed_set,
    "missing": lambda _: _MISSING,
    "value_error": lambda error: str(error["ctx"]["error"]),
    "string_too_long": lambda error: f"is too long; the most is {error['ctx']['max_length']} characters",
}
_FIELDS = sorted(
    {
        field.alias or name
        for model in (Capabilities, OrganizationAnswers, CapabilityAnswer, AnswerEvidence)
        for name, field in model.model_fields.items()
    }
)
_NOT_TOLD = "could not tell"


class CapabilitiesInvalid(ValueError):
    """The file cannot be believed; `problems` has one line each. No reason for a condition: no run begins with it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def load(name: str, data: bytes) -> Capabilities:
    """The capabilities of a file. Raises `CapabilitiesInvalid` with every problem: ``file:line: where: what``."""
    try:
        found = documents(data)
    except Unreadable as error:
        place = error.place
        raise CapabilitiesInvalid([str(Problem(name, place.line, spell(error.path), error.message))]) from None
    if len(found) != 1:
        raise CapabilitiesInvalid([f"{name}:1: holds {len(found)} documents; write one, `probe` makes it"])
    (document,) = found
    problems = [Problem(name, place.line, spell(path), message) for place, path, message in document.findings]
    try:
        read = Capabilities.model_validate(document.value)
    except ValidationError as error:
        problems += [_problem(name, document, finding) for finding in _findings(error, document.value)]
    else:
        if "format" not in document.value:  # it has a default in the program alone
            problems.append(Problem(name, document.start.line, "format", _MISSING))
        problems += [_problem(name, document, finding) for finding in _doubts(read)]
        if not problems:
            return read
    raise CapabilitiesInvalid([str(problem) for problem in sorted(problems)])


class _Dumper(yaml.SafeDumper):
    """Quotes what begins like a number: YAML 1.2 reads ``1e+100`` as one, PyYAML writes it as a plain text."""


def _written(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="'" if value[:1] in _NUMERIC else None)


_NUMERIC = frozenset("0123456789+-.")
_Dumper.add_representer(str, _written)


def text(capabilities: Capabilities) -> str:
    """The file, with what is left to people in it; `load` gives the same capabilities back."""
    left = {one.name: {"because": one.not_asked, "byHand": one.by_hand} for one in QUESTIONS if one.not_asked}
    whole = capabilities.model_copy(update={"not_asked": left})
    plain = whole.model_dump(by_alias=True, exclude_defaults=True)
    document = {"format": FORMAT, "organizations": plain.pop("organizations", {}), **plain}
    return _HEAD + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


def changes(before: Capabilities, after: Capabilities) -> list[str]:
    """What became of answers, one line each; organizations that `after` does not speak of are left out."""
    lines = []
    for name, asked in sorted(after.organizations.items()):
        known = before.organizations.get(name)
        if known is None:
            lines.append(f"{name}: was not asked before")
            continue
        for question in filter(lambda one: one.asked, QUESTIONS):
            was = _said(known, question)
            now = _said(asked, question)
            if was != now:
                lines.append(f"{name}: {question.name}: {was} → {now}")
    return lines


def _said(asked: OrganizationAnswers, question: ProbeQuestion) -> str:
    answer = asked.answers.get(question.name)
    return str(answer) if answer else "not asked"


# --- what is wrong -----------------------------------------------------------------------------------


def _problem(name: str, document: YamlDocument, finding: Finding) -> Problem:
    path, message = finding
    return Problem(name, document.place(path).line, spell(path), message)


def _findings(error: ValidationError, data: Any) -> Iterator[Finding]:
    for one in error.errors(include_url=False)[:MOST_PROBLEMS]:
        yield data_path(one["loc"], data), _sentence(one)


def _sentence(error: ErrorDetails) -> str:
    kind, value = error["type"], error["input"]
    if kind in _KINDS:
        return wrong_type(_KINDS[kind], value)
    if kind in _FIXED:
        return _FIXED[kind](error)
    if kind == "extra_forbidden":
        meant = nearest(str(error["loc"][-1]), _FIELDS)
        return f"is not a field; did you mean {meant}?" if meant else f"is not a field; known are {listing(_FIELDS)}"
    return f"is {show(value)}; write one name of letters, digits, blanks and hyphens, of at most 40 characters"


def _doubts(read: Capabilities) -> Iterator[Finding]:
    """What fits the form, and is no answer to one of the questions."""
    known = [question.name for question in QUESTIONS if question.asked]
    for name, asked in read.organizations.items():
        where: Path = ("organizations", name)
        if name != name.lower():
            yield where, f"is not in lower case; write {show(name.lower())}"
        for key, answer in asked.answers.items():
            question = named.get(key)
            if question is None or not question.asked:
                meant = nearest(key, known)
                hint = f"did you mean {meant}?" if meant else f"known are {', '.join(known)}"
                yield (*where, "answers", key), f"is no question that is asked; {hint}"
            elif (wrong := _wrong(question, answer)) is not None:
                yield (*where, "answers", key, "verdict"), wrong


def _wrong(question: ProbeQuestion, answer: CapabilityAnswer) -> str | None:
    words = {"seen yes": (question.yes,), "seen no": question.no, _NOT_TOLD: ("",)}[answer.verdict]
    if not words:
        return f"is {answer.verdict}, which this question cannot have; write {_NOT_TOLD}"
    if answer.answer in words:
        return None
    wanted = listing(words) if words != ("",) else "no answer"
    return f"is {answer.verdict}, but the answer is {show(answer.answer)}; with it goes {wanted}"
