"""`chaos show`: a kind told so that one can use it, an experiment so that one can copy it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calls import called, printed
from installed_package import installed

from chaos import library, reference
from chaos.cli import layout
from chaos.errors import InvalidInput

KINDS = [kind for family in reference.FAMILIES for kind in reference.names(family)]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_fault_is_told_with_all_that_is_needed_to_use_it() -> None:
    told = printed("show", "region_outage", COLUMNS="80")
    assert told.startswith("region_outage (fault)\n\nA region goes dark")
    for line in (
        "  region          text; required",
        "                  the region that fails, such as us-east-1",
        "  mode            hang or refuse; default hang",
        "  at       duration; default 0s",
        "  lasts    duration, above 0s; required",
        "In the embedded environment    lab: the emulator stores it, the lab enforces it",
        "In the localstack environment  lab: the emulator stores it, the lab enforces it",
        "Pulls the levers               api_rule, autoscaling_process,",
        "  faults:",
        "    - kind: region_outage",
        "      region: us-east-1",
    ):
        assert f"\n{line}\n" in told


def test_inner_parameters_have_their_whole_names() -> None:
    told = printed("show", "http")
    assert "  expect.status  " in told
    assert "  tls.verify  " in told


def test_what_a_kind_does_without_is_told_with_the_reason() -> None:
    told = printed("show", "dns")
    assert "It has no dns_cache  each attempt asks a server\n" in told
    assert "\n  dns_cache  " not in told


def test_a_name_of_two_kinds_shows_both() -> None:
    told = printed("show", "instance_termination")
    assert "instance_termination (fault)" in told
    assert "instance_termination (lever)" in told
    assert "One-way" in told
    assert "allow_irreversible: [instance_termination]" in told
    assert "A duration is written" in told


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("columns", [40, 80, 200])
def test_every_kind_fits_terminals_of_any_width(kind: str, columns: int) -> None:
    told = printed("show", kind, COLUMNS=str(columns))
    prose, _, example = told.partition("\nExample\n")
    for line in prose.splitlines():
        assert len(line) <= min(columns, layout.WIDEST) or " " not in line.strip(), line
    assert "\x1b" not in told + example


def test_an_experiment_is_shown_as_it_stands(here: Path) -> None:
    (shipped,) = [path for path in library.shipped() if path.stem == "region-outage"]
    assert printed("show", "region-outage") == shipped.read_text()
    own = here / "experiments" / "mine.yaml"
    own.parent.mkdir()
    own.write_bytes(b"name: mine\n# \xff\n\n")
    assert printed("show", "mine") == "name: mine\n# �\n"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("regionoutage", "did you mean 'region_outage'?"),
        ("slow-dn", "did you mean 'slow-dns'?"),
        ("meteor", "chaos list shows what there is"),
        ("", "chaos list shows what there is"),
        ("x" * 5000, "chaos list shows what there is"),
    ],
)
def test_what_is_not_there_is_one_sentence(name: str, hint: str) -> None:
    done = called("show", name)
    assert isinstance(done.exception, InvalidInput)
    assert str(done.exception) == f"there is no kind or experiment {name[:60]!r}; {hint}"


def test_a_kind_of_an_installed_package_says_whose_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(tmp_path, monkeypatch):
        told = printed("show", "acme_unplug")
        broken = called("show", "acme_broken")
    assert told.startswith("acme_unplug (fault, of acme-chaos 1.2)\n\nPulls a plug.\n")
    assert "In the embedded environment    unsupported: it has no effect here" in told
    assert isinstance(broken.exception, InvalidInput)
    assert "cannot be loaded" in str(broken.exception)


def test_lists_and_code_in_prose_keep_their_lines() -> None:
    text = "One two\nthree.\n\n- first\n  of all\n- second\n\n    $ code  here\n\nlast"
    assert layout.prose(text, 12) == (
        "One two\nthree.\n\n- first of\n  all\n- second\n\n    $ code  here\n\nlast"
    )


def test_an_example_can_be_pasted(here: Path) -> None:
    told = json.loads(printed("show", "region_outage", "--json"))["kinds"][0]
    text = (
        "name: pasted\nprobes: {p: {kind: http, url: 'http://api.stream.example/playback'}}\n"
        f"faults:\n{told['example']}\nobjectives: {{p: {{availability: 1%}}}}\n"
    )
    (here / "pasted.yaml").write_text(text)
    assert printed("validate", "pasted.yaml") == "pasted.yaml: valid\n"
