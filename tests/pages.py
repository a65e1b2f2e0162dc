"""The pages of the repository as tests read them: tables, examples, links."""

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from loyalty_service.domain import calendar, earning, money
from loyalty_service.domain.program import parsing
from loyalty_service.domain.program.document import Program
from tests.shop import DEFAULT_PROGRAM

ROOT = Path(__file__).parents[1]
ALL = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAMS = (ROOT / "docs" / "programs.md").read_text(encoding="utf-8")
YAML = re.findall(r"```yaml\n(.*?)```", PROGRAMS, re.DOTALL)
# The parser in C where PyYAML was built with it: the pages are read hundreds of times.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
MISTAKES = re.findall(r"```diff\n(.*?)```\n\n```text\n(.*?)```", PROGRAMS, re.DOTALL)
SMALLEST, WHOLE = (block for block in YAML if not block.startswith("# "))
FRAGMENTS = [block for block in YAML if block.startswith("# ")]


def table(*header: str) -> list[list[str]]:
    """The rows of the programs page's table with this header; there is one, and it has rows."""
    lines = iter(PROGRAMS.splitlines())
    assert any(_cells(line) == list(header) for line in lines), f"no table {header}"
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(_cells(line))
    assert rows, f"the table {header} is empty"
    return rows


def sections(fragment: str) -> list[str]:
    """The sections that a fragment's first line names."""
    return fragment.split("\n", 1)[0].removeprefix("# ").split(", ")


def with_sections(fragment: str) -> str:
    """The page's whole program with a fragment's sections in the place of its own.

    The page's own tiers and events are there for those who name them.
    """
    text = fragment
    for other in (first("tiers"), first("events"), WHOLE):
        kept = other
        for key in _read(text):
            kept = re.sub(rf"^{key}:.*\n(?: .*\n)*", "", kept, flags=re.MULTILINE)
        text = kept + text
    return text


def first(section: str) -> str:
    """The page's first example of just this section."""
    return next(fragment for fragment in FRAGMENTS if sections(fragment) == [section])


def document(**sections: Any) -> str:
    """The page's whole program with sections, given as values, in the place of its own."""
    return _written(_read(WHOLE) | sections)


def program(**sections: Any) -> Program:
    """The same, read."""
    return parsing.parse(document(**sections))


def example(section: str) -> Any:
    """The value that the page's first example gives a section."""
    return _read(first(section))[section]


def purchase(rules: Program, amount: str) -> earning.Earned:
    """What one line of merchandise of this amount earns."""
    amount_minor = money.parse_major(amount, rules.currency)
    lines = (earning.Line("bun", None, 1, amount_minor),)
    return earning.earn(rules, earning.OrderFacts(rules.currency, lines, 0, 0, 0))


def noon(day: str) -> datetime:
    """Noon in UTC, which is the same day in the zones that the page uses."""
    return datetime.combine(date.fromisoformat(day), time(12), tzinfo=UTC)


def last_day(end: datetime, rules: Program) -> str:
    """The last local day that an end leaves whole, or nearly."""
    return calendar.local_date(end - timedelta(microseconds=1), rules.zone).isoformat()


def faults_of(text: str) -> tuple[parsing.ProgramFault, ...]:
    """What the parser says about a document that it must refuse."""
    with pytest.raises(parsing.InvalidProgram) as refused:
        parsing.parse(text)
    return refused.value.faults


def refuses(path: str, number: int) -> bool:
    """Say whether a program with this number in this field is refused for the number's size."""
    words = ("is out of range", "is not a whole number")
    where = path.replace("[]", "[0]")
    try:
        parsing.parse(everything(path, number))
    except parsing.InvalidProgram as invalid:
        return any(one.path == where and one.message.startswith(words) for one in invalid.faults)
    return False


def everything(path: str, number: int) -> str:
    """The default program with a number at a path; what is missing on the way is made."""
    program = _read(DEFAULT_PROGRAM)
    if path == "rewards[].points":
        del program["rewards"][0]["slabs"]
    node = program
    *way, last = path.split(".")
    for step in way:
        key = step.removesuffix("[]")
        if isinstance(node.get(key, ""), str):
            # A word may stand where keys may, too.
            node[key] = {} if key == step else [{}]
        node = node[key]
        node = node if key == step else node[0]
    node[last] = number
    return _written(program)


def _read(text: str) -> Any:
    return yaml.load(text, _LOADER)


def _written(value: Any) -> str:
    return str(yaml.dump(value, Dumper=_DUMPER))


def short(page: Path) -> str:
    """A page's name in a test's name."""
    return page.relative_to(ROOT).as_posix()


def links(page: Path) -> list[str]:
    """The targets of a page's links inside the repository."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)[^)]*\)|^\[[^\]]+\]:\s*(\S+)", prose, re.MULTILINE)
    found = [inline or named for inline, named in targets]
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def leads_somewhere(page: Path, target: str) -> bool:
    """Say whether a link leads to a file, to a folder that is not empty, and to a heading there."""
    path, _, anchor = unquote(target).partition("#")
    there = (page.parent / path).resolve() if path else page
    if not there.is_relative_to(ROOT) or not there.exists():
        return False
    if there.is_dir():
        return any(there.iterdir())
    return not anchor or anchor in _anchors(there.read_text(encoding="utf-8"))


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#{1,6} (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _cells(line: str) -> list[str]:
    return [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
