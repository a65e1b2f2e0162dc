"""The documents name every error code, every code of a wrong field, and every setting.

`python -m tests.api.test_documents` writes the tables of docs/errors.md from errors.yaml.
"""

import re
from dataclasses import MISSING, fields
from pathlib import Path

from loyalty_service import api, errors
from loyalty_service.api import texts
from loyalty_service.cli.settings import PURPOSES
from loyalty_service.config import Config, variable

DOCS = Path(__file__).resolve().parents[2] / "docs"
SOURCES = Path(api.__file__).parents[1]


def section(title: str) -> str:
    """One chapter of the page of errors."""
    return (DOCS / "errors.md").read_text().split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_words_are_those_of_the_page_in_the_service() -> None:
    page = (DOCS / "errors.md").read_text()
    assert page == written(page), "write it with `make openapi`"
    assert list(texts.errors()["codes"]) == [kind.code for kind in errors.catalogue()]


def test_every_error_code_is_documented_with_its_status_and_nothing_else() -> None:
    row = re.compile(r'^\| <a id="(\w+)"></a>`(\w+)` \| (\d{3}) \| .+ \| .+ \|$', re.MULTILINE)
    documented = row.findall(section("Codes"))
    assert all(anchor == code for anchor, code, _ in documented)
    known = [(kind.code, str(kind.status)) for kind in errors.catalogue()]
    assert [(code, status) for _, code, status in documented] == known


def test_every_code_of_a_wrong_field_is_documented_and_nothing_else() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", section("Codes of wrong fields"), re.MULTILINE))
    made = re.compile(r'\b(?:fault|Fault|FieldFault)\(\s*(?:f?"[\w.{}]+", |\w+, )?"(\w+)"[,\s]')
    in_words = re.compile(r'"(?:required|null)": \("(\w+)"')
    raised = set()
    for source in [*(SOURCES / "api").rglob("*.py"), *(SOURCES / "domain").rglob("*.py")]:
        text = source.read_text()
        raised |= set(made.findall(text)) | set(in_words.findall(text))
    raised |= set(re.findall(r'"(above_maximum)" if', (SOURCES / "api" / "fields.py").read_text()))
    assert documented == raised


def test_every_setting_is_documented_with_its_default() -> None:
    page = (DOCS / "operations.md").read_text()
    rows = dict(re.findall(r"^\| `(LOYALTY_\w+)` \| (.+?) \| .+ \|$", page, re.MULTILINE))
    assert list(rows) and set(rows) == {variable(setting.name) for setting in fields(Config)}
    for setting in fields(Config):
        told = rows[variable(setting.name)]
        if setting.default is MISSING:
            assert told == "none, must be set"
        elif setting.default == "":
            assert told.startswith("empty")
        else:
            assert told == f"`{str(setting.default).lower()}`"


def test_the_doctor_says_of_every_setting_what_the_page_says() -> None:
    page = (DOCS / "operations.md").read_text()
    meanings = dict(re.findall(r"^\| `(LOYALTY_\w+)` \| .+? \| (.+) \|$", page, re.MULTILINE))
    assert list(PURPOSES) == [setting.name for setting in fields(Config)]
    for name, purpose in PURPOSES.items():
        assert meanings[variable(name)].startswith(purpose), name


def test_every_check_of_the_doctor_is_on_the_page_and_nothing_else() -> None:
    page = (DOCS / "operations.md").read_text().split("## Doctor\n")[1].split("\n## ")[0]
    told = re.findall(r"^\| ([a-z ]+) \| .+ \|$", page, re.MULTILINE)
    source = (SOURCES / "cli" / "checks.py").read_text()
    source += (SOURCES / "cli" / "doctor.py").read_text()
    assert set(told) == set(re.findall(r'\bFinding\("([a-z ]+)"', source))


def test_every_type_of_a_problem_leads_to_its_place_on_the_page() -> None:
    page = (DOCS / "errors.md").read_text()
    for kind in errors.catalogue():
        assert f'id="{kind.code}"' in page


def written(page: str) -> str:
    """The page with its tables as errors.yaml says."""
    told = texts.errors()
    codes = [
        f'| <a id="{kind.code}"></a>`{kind.code}` | {kind.status} '
        f"| {told['codes'][kind.code]['when']} | {told['codes'][kind.code]['do']} |"
        for kind in errors.catalogue()
    ]
    fields = [f"| `{code}` | {when} |" for code, when in told["fields"].items()]
    for table, rows in ((r"\| <a id=.*\|\n", codes), (r"\| `\w+` \| .*\|\n", fields)):
        last = re.findall(rf"(?:{table})+", page)[-1]
        page = page.replace(last, "\n".join(rows) + "\n")
    return page


if __name__ == "__main__":
    PAGE = DOCS / "errors.md"
    PAGE.write_text(written(PAGE.read_text()))
