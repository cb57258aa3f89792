"""docs/writing-a-fault.md shows the example package as it is, and no code besides."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PACKAGE = DOCS / "examples" / "acme-chaos"
PAGE = (DOCS / "writing-a-fault.md").read_text()
SHOWN = re.compile(r"^\[(\S+)\]\((\S+)\):\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_code_is_that_of_the_files() -> None:
    shown = SHOWN.findall(PAGE)
    for name, path, _, code in shown:
        assert path.endswith(name)
        assert code in (DOCS / path).read_text(), f"the page shows another {name} than there is"
    coded = re.findall(r"^```\w+$", PAGE, re.MULTILINE)
    assert len(coded) == len(shown) == 6, "code that is not a file's stands on the page"


def test_the_kinds_modules_are_shown_whole() -> None:
    shown = {path: code for _, path, _, code in SHOWN.findall(PAGE)}
    for module in ("lever", "fault", "probe"):
        path = f"examples/acme-chaos/src/acme_chaos/{module}.py"
        assert shown[path] == (DOCS / path).read_text()


def test_every_file_of_the_package_is_named() -> None:
    tree = PAGE.split("```")[1]
    other = {"__init__.py", "flag_service.py"}  # one is a line, the other is named further down
    files = [f for end in ("py", "toml", "yaml") for f in PACKAGE.rglob(f"*.{end}")]
    assert {file.name for file in files if file.name not in tree} == other
