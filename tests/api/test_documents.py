"""The documents name every error code, every code of a wrong field, and every setting."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

from loyalty_service import api, errors
from loyalty_service.config import Config, variable

DOCS = Path(__file__).resolve().parents[2] / "docs"
SOURCES = Path(api.__file__).parents[1]


def section(title: str) -> str:
    """One chapter of the page of errors."""
    return (DOCS / "errors.md").read_text().split(f"## {title}\n")[1].split("\n## ")[0]


def test_every_error_code_is_documented_with_its_status_and_nothing_else() -> None:
    row = re.compile(r'^\| <a id="(\w+)"></a>`(\w+)` \| (\d{3}) \| .+ \| .+ \|$', re.MULTILINE)
    documented = row.findall(section("Codes"))
    assert all(anchor == code for anchor, code, _ in documented)
    known = [(kind.code, str(kind.status)) for kind in errors.catalogue()]
    assert [(code, status) for _, code, status in documented] == known


def test_every_code_of_a_wrong_field_is_documented_and_nothing_else() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", section("Codes of wrong fields"), re.MULTILINE))
    made = re.compile(r'\b(?:fault|Fault|FieldFault)\(\s*(?:"[\w.]+", )?"(\w+)"[,\s]')
    in_words = re.compile(r'"(?:required|null)": \("(\w+)"')
    raised = set()
    for source in [*(SOURCES / "api").glob("*.py"), *(SOURCES / "domain").glob("*.py")]:
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


def test_every_type_of_a_problem_leads_to_its_place_on_the_page() -> None:
    page = (DOCS / "errors.md").read_text()
    for kind in errors.catalogue():
        assert f'id="{kind.code}"' in page
