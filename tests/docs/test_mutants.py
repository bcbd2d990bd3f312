"""The list of mutants that no test notices: it names code that is there, and `make mutants` judges by it."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scripts.mutant_page import BEGIN, CHANGED, END, PAGE, read_kept, table, together
from scripts.mutant_scores import RUN, Score, Survivor, explained, read_list, reasons, scores
from scripts.mutants import judge
from scripts.tracked import ROOT

LISTED = read_list()
MODULES = [module for group in LISTED["groups"].values() for module in group["modules"]]


def test_modules_and_tests_are_there_and_each_module_is_in_one_group() -> None:
    paths = [*MODULES, *(path for group in LISTED["groups"].values() for path in group["tests"])]

    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [module for module, times in Counter(MODULES).items() if times > 1] == []
    assert [one for group in LISTED["groups"].values() for one in group.get("any_case", ()) if one not in MODULES] == []
    assert LISTED["bar"] >= 85


def test_each_listed_survivor_is_a_line_of_its_function_and_has_a_reason() -> None:
    """A line that was edited is another mutant: its entry goes."""
    problems = []
    for survivor, reason in reasons(LISTED).items():
        module, _, function = survivor.function.removeprefix("reconciler.").rpartition(".")
        path = f"reconciler/{module.replace('.', '/')}"  # with the class, where there is one
        file = max((one for one in MODULES if path.startswith(one[:-3])), key=len, default=None)
        text = " ".join((ROOT / file).read_text().split()) if file else ""
        if f"def {function}(" not in text:
            problems.append(f"{survivor.function}: no such function in a module of the list")
        elif " ".join(survivor.change.partition(" => ")[0].split()).replace("def (", f"def {function}(") not in text:
            problems.append(f"{survivor.function}: no such line any more: {survivor.change}")
        if len(reason.split()) < 3:
            problems.append(f"{survivor.function}: a reason is a sentence, not {reason!r}")
    assert problems == []


def test_the_page_has_the_generated_part_once() -> None:
    text = PAGE.read_text()

    assert text.count(BEGIN) == text.count(END) == 1
    part = text.partition(BEGIN)[2].partition(END)[0]
    assert set(re.findall(r"`(reconciler/\S+\.py)`", part)) == set(MODULES)
    kept = [score for score in read_kept().values() if score.module in MODULES]
    assert part.partition(CHANGED)[0].strip() == table(kept, MODULES, explained(LISTED)), (
        "python -m scripts.mutants page"
    )


def test_a_kind_of_survivor_has_a_reason_and_is_no_more_than_it_says() -> None:
    known = explained(LISTED)

    assert all(len(kind["reason"].split()) > 2 for kind in LISTED["kind"])
    strict = "for one, other in zip(a, b, strict=True): => for one, other in zip(a, b, strict=False):"
    assert Survivor("x.y", strict) in known
    assert Survivor("x.y", strict.replace("zip(a, b, strict=F", "zip(a, a, strict=F")) not in known
    assert Survivor("x.y", "return count > 3 => return count >= 3") not in known


MUTATED = '''
def x_over__mutmut_orig(count: int) -> bool:
    """Whether it is."""
    if count:
        return count > 3
    return False


def x_over__mutmut_1(count: int) -> bool:
    """Whether it is."""
    if count:
        return count >= 3
    return False


def x_over__mutmut_2(count: int) -> bool:
    """Whether it is."""
    if count:
        return count > 3
    return True


class Check:
    def xǁCheckǁroom__mutmut_orig(
        self,
        count: int,
    ) -> int:
        return call(
            count, 1,
        )

    def xǁCheckǁroom__mutmut_1(
        self,
        count: int,
    ) -> int:
        return call(
            count, 2,
        )
'''
GROUP = {"modules": ["reconciler/plan/some.py", "reconciler/plan/never_run.py"]}


def results(folder: Path, codes: list[int | None]) -> list[Score]:
    """As mutmut leaves them: the module with its mutants, and an exit code of each."""
    module = folder / "mutants" / "reconciler" / "plan" / "some.py"
    module.parent.mkdir(parents=True)
    module.write_text(MUTATED)
    names = ["x_over__mutmut_1", "x_over__mutmut_2", "xǁCheckǁroom__mutmut_1"]
    meta = {"exit_code_by_key": {f"reconciler.plan.some.{name}": code for name, code in zip(names, codes, strict=True)}}
    module.with_name("some.py.meta").write_text(json.dumps(meta))
    return list(scores(folder, GROUP))


AT_BOUND = Survivor("reconciler.plan.some.over", "return count > 3 => return count >= 3")


def test_a_survivor_is_named_by_its_function_and_line(tmp_path: Path) -> None:
    (score,) = results(tmp_path, [0, 1, 33])

    assert (score.module, score.killed, score.total, score.untested) == ("reconciler/plan/some.py", 1, 3, 0)
    assert score.survivors == (AT_BOUND, Survivor("reconciler.plan.some.Check.room", "count, 1, => count, 2,"))
    assert round(score.percent) == 33


def test_another_case_of_letters_is_no_mutant_where_names_have_any_case(tmp_path: Path) -> None:
    module = tmp_path / "mutants" / "reconciler" / "plan" / "some.py"
    module.parent.mkdir(parents=True)
    bodies = {"orig": "find('osProfile')", "1": "find('OSPROFILE')", "2": "find('XXosProfileXX')"}
    module.write_text("\n".join(f"def x_read__mutmut_{name}():\n    return {body}\n" for name, body in bodies.items()))
    codes = {f"reconciler.plan.some.x_read__mutmut_{number}": 0 for number in (1, 2)}
    module.with_name("some.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))

    (counted,) = scores(tmp_path, GROUP)
    (known,) = scores(tmp_path, {**GROUP, "any_case": ["reconciler/plan/some.py"]})
    assert (counted.total, known.total) == (2, 1)
    assert [one.change for one in known.survivors] == ["return find('osProfile') => return find('XXosProfileXX')"]


@pytest.mark.parametrize(
    ("codes", "given", "expected"),
    [
        ([1, 1, 1], (85, None), (0, [])),
        ([1, 36, 1], (85, None), (0, [])),
        ([0, 1, 1], (60, "No count is three."), (0, [])),
        ([0, 1, 1], (85, "No count is three."), (1, ["reconciler/plan/some.py: 66.7 % is below the bar of 85 %"])),
        ([0, 1, 1], (60, None), (1, ["reconciler.plan.some.over: no test notices return count > 3 => return count >= 3",
                                  "1 survivors without a reason"])),
        ([1, 1, None], (85, None), (1, ["reconciler/plan/some.py: 1 mutants have no result; run it again"])),
        ([1, 2, 1], (85, None), (1, ["reconciler/plan/some.py: 1 mutants have no result; run it again"])),
    ],
)  # fmt: skip
def test_it_fails_below_the_bar_without_a_reason_and_without_a_result(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    codes: list[int | None],
    given: tuple[int, str | None],
    expected: tuple[int, list[str]],
) -> None:
    (bar, reason), (ended, said) = given, expected
    entry = {"function": AT_BOUND.function, "changes": [AT_BOUND.change], "reason": reason}
    listed = {"bar": bar, "groups": {"some": GROUP}, "survivor": [entry] if reason else []}

    assert judge(results(tmp_path, codes), listed) == ended
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len([line for line in lines if line]) == len(said)
    assert [line for line, start in zip(lines, said, strict=False) if not line.startswith(start)] == []


def test_the_table_says_what_was_not_run_and_gives_a_score_to_what_was_run_whole(tmp_path: Path) -> None:
    known = {AT_BOUND: "No count is three."}
    whole, part = results(tmp_path / "whole", [0, 1, 1]), results(tmp_path / "part", [0, 1, None])

    assert table(whole, GROUP["modules"], known).splitlines()[2:] == [
        "| `reconciler/plan/some.py` | 3 | 3 | 2 | 66.7 % | 1, 1 |",
        "| run whole | 3 | 3 | 2 | 66.7 % | 1, 1 |",
        "",
        "Not run for this table: `reconciler/plan/never_run.py`.",
    ]
    assert table(part, GROUP["modules"], {}).splitlines()[2:-2] == [
        "| `reconciler/plan/some.py` | 3 | 2 | 1 |  | 1, 0 |"
    ]


def test_a_sample_is_judged_and_shown_as_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was not chosen lacks no result."""
    results(tmp_path, [1, None, None])
    chosen: dict[str, Any] = {"one_of": 3, "mutants": ["reconciler.plan.some.x_over__mutmut_1"]}
    (tmp_path / RUN).write_text(json.dumps(chosen))
    sample = list(scores(tmp_path, GROUP))

    assert judge(sample, {"bar": 85, "groups": {"some": GROUP}}) == 0
    assert table(sample, GROUP["modules"], {}).splitlines()[2:4] == [
        "| `reconciler/plan/some.py` | 3 | 1, one of 3 | 1 | 100.0 % | 0, 0 |",
        "| run as samples | 3 | 1 | 1 | 100.0 % | 0, 0 |",
    ]
    (all_run,) = results(tmp_path / "all", [1, 1, 1])
    (tmp_path / "all" / RUN).write_text(json.dumps(chosen))
    assert next(scores(tmp_path / "all", GROUP)) == all_run, "where all has a result, it is none of a sample"
    more = [*chosen["mutants"], "reconciler.plan.some.x_over__mutmut_2"]
    (tmp_path / RUN).write_text(json.dumps({**chosen, "mutants": more}))
    assert judge(list(scores(tmp_path, GROUP)), {"bar": 85, "groups": {"some": GROUP}}) == 1
    assert "no test notices" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("new", "taken"),
    [
        (Score("a.py", 9, (), mutants=12, code="old"), False),
        (Score("a.py", 11, (), mutants=12, code="old"), True),
        (Score("a.py", 2, (), one_of=5, mutants=10, code="new"), True),
        (Score("a.py", 0, (), untested=12, mutants=12, code="new"), False),
        (Score("gone.py", 5, (), mutants=5, code="x"), False),
    ],
)
def test_results_of_runs_in_parts_add_up(new: Score, taken: bool) -> None:
    """A row stays until its module was run again, no less than before or in another form."""
    kept = {
        "a.py": Score("a.py", 10, (), mutants=12, code="old"),
        "b.py": Score("b.py", 1, (), mutants=1, code="x"),
        "gone.py": Score("gone.py", 1, (), mutants=1, code="x"),
    }

    found = together(kept, [new], ["a.py", "b.py", "c.py"])
    assert list(found) == ["a.py", "b.py"]
    assert found["a.py"] == (new if taken else kept["a.py"])
    assert found["b.py"] == kept["b.py"]
