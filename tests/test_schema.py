"""Files are read strictly: each thing that is wrong is told, with its place, in plain words."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
)

from chaos import schema
from chaos.errors import InvalidInput
from chaos.schema import by_kind, loads, problem, problems, reader


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Colour(Enum):
    RED = "red"


class Shape(Strict):
    kind: str


class Circle(Shape):
    kind: Literal["circle"]
    radius: float = Field(gt=0, description="in metres")
    filled: bool = False


class Square(Shape):
    kind: Literal["square"]
    side: Annotated[str, Field(pattern=r"^\d+m$", description="such as 3m")]


KINDS: dict[str, type[Shape]] = {"circle": Circle, "square": Square}
AnyShape = Annotated[SerializeAsAny[Shape], by_kind(lambda: KINDS, "chaos.faults")]


def must_be_even(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd")
    if number < 0:
        raise AssertionError("below\nzero")  # pydantic turns it into a problem
    return number


class Drawing(Strict):
    text: str = ""
    number: int = 0
    ratio: Annotated[float, Field(allow_inf_nan=False)] = 0
    small: Annotated[int, Field(ge=1, lt=10)] = 1
    even: Annotated[int, AfterValidator(must_be_even)] = 0
    flag: bool = False
    maybe: float | None = None
    either: int | list[int] = 0
    colour: Colour = Colour.RED
    size: Literal[1, 2] = 1
    word: Annotated[str, Field(min_length=2, max_length=3)] = "ab"
    several: Annotated[list[int], Field(min_length=2, max_length=3)] = [1, 2]
    triple: tuple[int, ...] = ()
    counts: dict[int, int] = {}
    pattern: re.Pattern[str] | None = None
    json_: JsonValue = Field(default=None, alias="json")
    anything: Any = None
    bare: dict = {}  # type: ignore[type-arg]  # as somebody may write it
    shapes: dict[str, AnyShape] = {}
    shape: AnyShape | None = None
    rows: list[Circle] = []

    @field_validator("text")
    @classmethod
    def _not_the_refused(cls, text: str, info: ValidationInfo) -> str:
        if info.context and text == info.context["refused"]:
            raise problems("text", [problem("inside", what="is refused")])
        return text


def drawing(text: str) -> Drawing:
    return loads(text.encode(), Drawing, "f.yaml")


def told(data: str | bytes, **context: Any) -> list[str]:
    data = data.encode() if isinstance(data, str) else data
    with pytest.raises(InvalidInput) as caught:
        loads(data, Drawing, "f.yaml", context)
    return [line.removeprefix("f.yaml:") for line in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("text: NO", "text", "NO"),
        ("text: 1:30", "text", "1:30"),
        ("text: 1e3", "text", "1e3"),
        ("text: 010", "text", "010"),
        ("text: 2026-11-21", "text", "2026-11-21"),
        ("text: 'null'", "text", "null"),
        ("text: ''", "text", ""),
        ("text: |\n  a\n  b\n", "text", "a\nb\n"),
        ("number: 010", "number", 10),
        ("number: '7'", "number", 7),
        ("ratio: 1e3", "ratio", 1000.0),
        ("flag: yes", "flag", True),
        ("flag: Off", "flag", False),
        ("flag: 'true'", "flag", True),
        ("maybe: null", "maybe", None),
        ("maybe: ~", "maybe", None),
        ("maybe:", "maybe", None),
        ("maybe: 5", "maybe", 5.0),
        ("either: 5", "either", 5),
        ("either: [5, 6]", "either", [5, 6]),
        ("colour: red", "colour", Colour.RED),
        ("triple: [1, 2, 3]", "triple", (1, 2, 3)),
        ("counts: {1: 2}", "counts", {1: 2}),
        ("shape: {kind: circle, radius: 2}", "shape", Circle(kind="circle", radius=2)),
        ("shape: ~", "shape", None),
    ],
)
def test_a_scalar_means_what_the_wanted_type_makes_of_it(
    text: str, field: str, value: object
) -> None:
    assert getattr(drawing(text), field) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("12", 12),
        ("+012", 12),
        ("0x1F", 31),
        ("0o17", 15),
        ("1:30", "1:30"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("[1, '1', {a: 2.5}]", [1, "1", {"a": 2.5}]),
    ],
)
@pytest.mark.parametrize("field", ["json", "anything", "bare"])
def test_where_anything_may_stand_yaml_1_2_decides(text: str, value: object, field: str) -> None:
    if field == "bare":
        text, value = f"{{x: {text}}}", {"x": value}
    decoded = getattr(drawing(f"{field}: {text}"), "json_" if field == "json" else field)
    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text:", "1:6: text: is empty"),
        ("text: null", "1:7: text: is empty"),
        ("text: [a]", "1:1: text: must be text, not a list"),
        ("text: {a: b}", "1:1: text: must be text, not a mapping"),
        ("number: x", "1:9: number: 'x' is no whole number"),
        ("number: 1.5", "1:9: number: '1.5' is no whole number"),
        ("number: [1]", "1:1: number: must be a whole number, not a list"),
        (f"number: {'9' * 5000}", f"1:9: number: '{'9' * 59}…' is too large"),
        ("ratio: x", "1:8: ratio: 'x' is no number"),
        ("ratio: [1]", "1:1: ratio: must be a number, not a list"),
        ("ratio: inf", "1:8: ratio: 'inf' is no finite number"),
        ("small: 0", "1:8: small: must be at least 1"),
        ("small: 10", "1:8: small: must be less than 10"),
        ("even: 3", "1:7: even: 3 is odd"),
        ("even: -2", "1:7: even: below zero"),
        ("flag: perhaps", "1:7: flag: 'perhaps' is neither true nor false"),
        ("flag: [a]", "1:1: flag: must be true or false, not a list"),
        ("colour: rde", "1:9: colour: 'rde' is not one of red; did you mean 'red'?"),
        ("size: 3", "1:7: size: '3' is not one of 1 or 2"),
        ("word: a", "1:7: word: must have at least 2 characters"),
        ("word: abcd", "1:7: word: must have at most 3 characters"),
        ("several: [1]", "1:1: several: must have at least 2 entries"),
        ("several: [1, 2, 3, 4]", "1:1: several: must have at most 3 entries"),
        ("several: x", "1:10: several: must be a list, not 'x'"),
        ("triple: x", "1:9: triple: must be a list, not 'x'"),
        ("counts: x", "1:9: counts: must be a mapping, not 'x'"),
        ("counts: {a: 1}", "1:10: counts.a: 'a' is no whole number"),
        ("pattern: (", "1:10: pattern: '(' is no regular expression"),
        ("pattern: [a]", "1:1: pattern: input should be a valid pattern"),
        ("json: 1e999", "1:7: json: '1e999' is too large a number"),
        ("json: [1, -9e400]", "1:11: json[1]: '-9e400' is too large a number"),
        ("rows:\n  - {kind: circle}", "2:5: rows[0].radius: is missing"),
        ("rows: [3]", "1:8: rows[0]: must be a mapping, not '3'"),
        ("sizes: 1", "1:1: sizes: is not known here; did you mean 'size'?"),
        ("'a b': 1", "1:1: 'a b': is not known here; known are " + ", ".join(
            info.alias or name for name, info in Drawing.model_fields.items())),
        ("shapes: {a: {kind: circle, radius: 0}}", "1:36: shapes.a.radius: must be greater than 0"),
        ("shapes: {a: {kind: circle, radius: 1, x: 1}}",
         "1:39: shapes.a.x: is not known here; known are kind, radius, filled"),
        ("shapes: {a: {kind: square, side: 3}}",
         "1:34: shapes.a.side: '3' does not fit: such as 3m"),
        ("shapes: {a: {kind: cirlce}}",
         "1:20: shapes.a.kind: there is no kind 'cirlce'; did you mean 'circle'?"),
        ("shapes: {a: {kind: x}}",
         "1:20: shapes.a.kind: there is no kind 'x'; known are circle, square"),
        ("shapes: {a: {kind: [x]}}", "1:14: shapes.a.kind: must be text, not a list"),
        ("shapes: {a: {radius: 1}}",
         "1:10: shapes.a.kind: is missing; known are circle, square"),
        ("shapes: {a: 3}", "1:13: shapes.a: must be a mapping, not '3'"),
        ("shape: {kind: circle, radius: x}", "1:31: shape.radius: 'x' is no number"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_plain_words(text: str, said: str) -> None:
    assert told(text) == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text: &a x", "1:7: text: no anchors (&a); write it where it is needed"),
        ("text: *a", "1:7: text: no aliases (*a); write it out again"),
        ("text: !!str x", "1:7: text: no tags (!!str); the type is known without"),
        ("text: !own x", "1:7: text: no tags (!own); the type is known without"),
        ("text: ! x", "1:7: text: no tags (!); the type is known without"),
        ("<<: {text: x}", "1:1: '<<': no merge keys (<<); write the keys out"),
        ("text: a\ntext: b", "2:1: text: is given a second time; the first is in line 1"),
        ("text: a\n'text': b", "2:1: text: is given a second time; the first is in line 1"),
        ("?\n: a", "1:2: '': a key is missing before the ':'"),
        ("? {a: b}\n: c", "1:3: drawing: a key must be text"),
        ("text: ${a}", "1:7: text: there is no variable 'a'"),
        ("number: ${a}", "1:9: number: there is no variable 'a'"),
        ("${a}: 1", "1:1: drawing: no variables here (${a}); write it out"),
        ("text: ${a", "1:7: text: '${' is not closed; write ${name}, or $${ where it means itself"),
        ('text: "\\0"', "1:7: text: the character U+0000 is not allowed"),
        ('text: "\\ud800"', "1:7: text: the character U+D800 is not allowed"),
        ("text: a\n---\ntext: b", "2:1: drawing: a second document begins here; only one may be"),
        ("", "1:1: drawing: the file is empty"),
        ("# nothing", "1:1: drawing: the file is empty"),
        ("---", "1:4: drawing: is empty"),
        ("x", "1:1: drawing: must be a mapping, not 'x'"),
        ("a\x00b\r\n\x85", "1:2: drawing: the character U+0000 is not allowed"),
        ("json: " + "[" * 32, f"1:38: json{'[0]' * 31}: is nested more than 32 deep"),
        ('text: "\\UFFFFFFFF"', "1:10: syntax: there is no such character"),
        ("text: a: b", "1:8: syntax: no ':' is allowed here; check indentation and quotes"),
        ("a: !<b", "1:7: syntax: expected '>', but found '\\x00'"),
    ],
)  # fmt: skip
def test_surprises_of_yaml_are_refused(text: str, said: str) -> None:
    assert told(text)[0] == said


def test_all_control_characters_are_told() -> None:
    assert told("a\x00b\r\n\n\x85") == [
        "1:2: drawing: the character U+0000 is not allowed",
        "3:1: drawing: the character U+0085 is not allowed",
    ]


def test_exactly_the_depth_that_is_allowed_can_be_read() -> None:
    assert drawing("json: " + "[" * 31 + "]" * 31).json_


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"text: \xff", "1:7: drawing: is not UTF-8 text"),
        (b"\xef\xbb\xbfnumber: 1\r\nn\xe9", "2:2: drawing: is not UTF-8 text"),
        (b"#" * (reader.LARGEST + 1), "1:1: drawing: is larger than 256 KiB"),
        (b"text: " + b"a" * (reader.LONGEST + 1), "1:7: text: is longer than 65,536 characters"),
        (
            b"json:\n" + b"- 1\n" * reader.MOST,
            "9999:3: drawing: has more than 10,000 keys and values",
        ),
    ],
)
def test_bytes_that_are_no_reasonable_text(data: bytes, said: str) -> None:
    assert told(data) == [said]


@pytest.mark.parametrize("kind", ["pipe", "device", "directory", "link to a pipe"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "f.yaml"
    if kind == "directory":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    with pytest.raises(InvalidInput, match=r"cannot be read: (it is no regular file|Is a dir)"):
        schema.read(path)


def test_a_byte_order_mark_is_no_text() -> None:
    assert loads(b"\xef\xbb\xbftext: a", Drawing, "f.yaml").text == "a"


def test_what_was_refused_is_not_told_a_second_time() -> None:
    """An alias where a number is wanted is one problem, not two."""
    assert len(told("number: *a")) == 1
    assert len(told("shape: {kind: *a}")) == 1


def test_problems_come_in_the_order_of_the_file_and_each_once() -> None:
    assert told("flag: x\nnumber: y\neither: z\nrows:\n- {}\n- 3\ntext: &a [b]\n") == [
        "1:7: flag: 'x' is neither true nor false",
        "2:9: number: 'y' is no whole number",
        "3:9: either: 'z' is no whole number",
        "3:9: either: must be a list, not 'z'",
        "5:3: rows[0].kind: is missing",
        "5:3: rows[0].radius: is missing",
        "6:3: rows[1]: must be a mapping, not '3'",
        "7:1: text: must be text, not a list",
        "7:7: text: no anchors (&a); write it where it is needed",
    ]


def test_no_more_than_a_hundred_are_told() -> None:
    lines = told("".join(f"key{n}: 1\n" for n in range(103)))
    assert len(lines) == 101
    assert lines[-1] == " and 3 more problems"


def test_problems_of_a_validator_keep_their_path_and_the_context_reaches_it() -> None:
    assert told("text: x", refused="x") == ["1:1: text.inside: is refused"]
    assert loads(b"text: y", Drawing, "f", {"refused": "x"}).text == "y"


def test_problems_can_be_relayed_with_all_that_is_known_of_them() -> None:
    class Outer(Strict):
        inner: Drawing

        @field_validator("inner", mode="wrap")
        @classmethod
        def _and_more(cls, value: Any, handler: Callable[[Any], Drawing]) -> Drawing:
            from pydantic import ValidationError

            try:
                return handler(value)
            except ValidationError as error:
                more = problem("text", what="{is} wrong too")
                raise problems("inner", [*schema.relayed(error), more]) from None

    with pytest.raises(InvalidInput) as caught:
        loads(b"inner: {text: a, flg: 1, even: 3, size: 3, small: 0}", Outer, "f")
    assert caught.value.problems == (
        "f:1:15: inner.text: {is} wrong too",
        "f:1:18: inner.flg: is not known here; did you mean 'flag'?",
        "f:1:32: inner.even: 3 is odd",
        "f:1:41: inner.size: '3' is not one of 1 or 2",
        "f:1:51: inner.small: must be at least 1",
    )


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Packages that offer `triangle` and `broken`; the list tells what was asked for."""
    asked = []

    class Triangle(Shape):
        kind: Literal["triangle"]

    def find(group: str, kind: str) -> type[Shape] | None:
        assert group == "chaos.faults"
        asked.append(kind)
        if kind == "broken":
            raise InvalidInput("the kind 'broken' cannot be loaded")
        return {"triangle": Triangle}.get(kind)

    monkeypatch.setattr("chaos.extensions.names", lambda _: ["broken", "circle", "triangle"])
    monkeypatch.setattr("chaos.extensions.find", find)
    return asked


def test_kinds_of_installed_packages_are_loaded_when_they_are_used(installed: list[str]) -> None:
    assert drawing("shape: {kind: circle, radius: 1}").shape
    assert not installed
    shape = drawing("shape: {kind: triangle}").shape
    assert shape is not None
    assert shape.kind == "triangle"
    assert installed


def test_kinds_of_installed_packages_are_among_those_known(installed: list[str]) -> None:
    known = "known are circle, square, broken, triangle"
    assert told("shape: {kind: x}") == [f"1:15: shape.kind: there is no kind 'x'; {known}"]
    assert set(installed) == {"x"}


def test_a_package_that_cannot_be_loaded_is_named(installed: list[str]) -> None:
    assert told("shape: {kind: broken, radius: x}\nnumber: y") == [
        "1:15: shape.kind: the kind 'broken' cannot be loaded",
        "2:9: number: 'y' is no whole number",
    ]


def test_an_instance_needs_no_decoding() -> None:
    circle = Circle(kind="circle", radius=1)
    assert Drawing(shape=circle).shape is circle


def test_an_instance_gives_back_all_its_own_fields() -> None:
    shapes = drawing("shape: {kind: circle, radius: 2}").model_dump(mode="json")["shape"]
    assert shapes == {"kind": "circle", "radius": 2.0, "filled": False}


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path, why in [
        (tmp_path / "none.yaml", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (Path("a\0b"), "embedded null byte"),
    ]:
        with pytest.raises(InvalidInput) as caught:
            schema.load(path, Drawing)
        assert str(caught.value) == f"{path}: cannot be read: {why}"


def test_a_file_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "drawing.yaml"
    path.write_text("text: a\n")
    assert schema.load(path, Drawing).text == "a"


LINE = st.text(st.sampled_from("ab:,-[]{}&*!|>'\"%@`#?<${}~ \n\t\\0x1"), max_size=60)


@given(
    st.one_of(st.binary(max_size=60), LINE.map(str.encode), st.text(max_size=40).map(str.encode))
)
def test_whatever_the_text_it_is_a_value_or_has_problems(data: bytes) -> None:
    assert all(re.fullmatch(r"f\.yaml:\d+:\d+: [^\n]+: [^\n]+", line) for line in found(data))


def found(data: bytes) -> Sequence[str]:
    """The problems of a drawing, none when it has none."""
    try:
        loads(data, Drawing, "f.yaml")
    except InvalidInput as error:
        return error.problems
    return []


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ((), (1, 1)),
        (("rows",), (2, 1)),
        (("rows", 1), (4, 3)),
        (("rows", 1, "radius"), (5, 3)),
        (("rows", 7, "radius"), (2, 1)),
        (("text", "inside"), (1, 1)),
        (("nothing",), (1, 1)),
    ],
)
def test_where_a_path_stands_in_a_file(path: tuple[str | int, ...], at: tuple[int, int]) -> None:
    data = b"text: a\nrows:\n- kind: circle\n- kind: circle\n  radius: 2\n"
    assert schema.place(data, path) == at
