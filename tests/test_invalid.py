"""Each file in invalid/ is wrong in one way, and the text beside it is the whole message.

invalid/NAME.yaml      the file
invalid/NAME.txt       what is said about it; `{file}` stands for its path
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import probes
from chaos import environments, experiment, faults, library, schema
from chaos.errors import InvalidInput
from chaos.experiment import Experiment

WRONG = sorted((Path(__file__).parent / "invalid").glob("*.yaml"))
SHIPPED = library.shipped()
KINDS = {
    "probes": ", ".join(probes.KINDS),
    "faults": ", ".join(faults.KINDS),
    "environments": ", ".join(environments.KINDS),
}
# What people and editors do to a file by mistake.
PIECES = ["", " ", "\t", "\n", ":", "- ", "{", "]", '"', "#", "&a ", "*a", "!!int ", "<<: ", "${x}"]
WORDS = ["", "null", "0s", "-1", "1e999", "nobody", "[]", "{}", "true", "a: b", "9h"]


def test_there_are_many_ways_of_being_wrong() -> None:
    assert len(WRONG) >= 60


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_the_whole_message(path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        experiment.load(path)
    said = path.with_suffix(".txt").read_text()
    for name, value in {"file": str(path), **KINDS}.items():
        said = said.replace(f"{{{name}}}", value)
    assert str(caught.value) + "\n" == said


def test_no_message_without_its_file() -> None:
    assert [path.with_suffix(".txt") for path in WRONG] == sorted(WRONG[0].parent.glob("*.txt"))


def problems(data: bytes) -> list[str]:
    """What is wrong with an experiment of that text; anything else that is raised is a defect."""
    try:
        loaded = schema.loads(data, Experiment, "drill.yaml", {"file": SHIPPED[0]})
    except InvalidInput as error:
        assert error.problems  # noqa: PT017  # an error without a reason would be worse than none
        return list(error.problems)
    loaded.to_json()
    return []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_experiment_is_right(path: Path) -> None:
    assert problems(path.read_bytes()) == []


@settings(max_examples=150)
@given(
    st.sampled_from(SHIPPED),
    st.integers(min_value=0, max_value=4000),
    st.integers(min_value=0, max_value=40),
    st.sampled_from([*PIECES, *WORDS]),
)
def test_a_file_with_a_slip_is_right_or_has_problems(
    path: Path, start: int, length: int, instead: str
) -> None:
    data = path.read_bytes()
    start %= len(data)
    problems(data[:start] + instead.encode() + data[start + length :])


@settings(max_examples=75)
@given(st.sampled_from(SHIPPED), st.data())
def test_a_file_with_lines_in_wrong_places_is_right_or_has_problems(
    path: Path, draw: st.DataObject
) -> None:
    lines = [line for line in path.read_text().splitlines() if line.strip()[:1] not in ("", "#")]
    number = st.integers(min_value=0, max_value=len(lines) - 1)
    for _ in range(3):
        line = lines[draw.draw(number)]
        lines.insert(draw.draw(number), draw.draw(st.sampled_from(["", "  "])) + line)
    problems("\n".join(lines).encode())


@settings(max_examples=75)
@given(st.sampled_from(SHIPPED), st.data())
def test_a_file_with_another_value_is_right_or_has_problems(
    path: Path, draw: st.DataObject
) -> None:
    lines = path.read_text().splitlines()
    chosen = draw.draw(st.sampled_from([n for n, line in enumerate(lines) if ": " in line]))
    key, _ = lines[chosen].split(": ", 1)
    lines[chosen] = f"{key}: {draw.draw(st.sampled_from(WORDS))}"
    problems("\n".join(lines).encode())


@settings(max_examples=150)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_a_file_of_anything_has_problems(data: bytes) -> None:
    assert problems(data)
