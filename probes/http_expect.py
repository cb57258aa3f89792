"""What an HTTP answer must be, and in which words it is said that it is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from probes.http_exchange import Response
from probes.probe import ProbeFailed

SHOWN = 80  # characters of what came instead


def _statuses(given: object) -> tuple[str, ...]:
    """`200`, `2xx` or a list of such."""
    several = list(given) if isinstance(given, (list, tuple)) else [given]
    for status in several:
        if not re.fullmatch(r"[1-5](\d\d|xx)", str(status)):
            raise ValueError(f"{str(status)!r} is no status; write 200, 2xx or a list of such")
    if not several:
        raise ValueError("an empty list of statuses can never be met")
    return tuple(str(status) for status in several)


_STATUS: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 100, "maximum": 599},
        {"type": "string", "pattern": r"^[1-5](\d\d|xx)$"},
    ]
}
Statuses = Annotated[
    tuple[str, ...],
    BeforeValidator(_statuses),
    WithJsonSchema(
        {"anyOf": [*_STATUS["anyOf"], {"type": "array", "items": _STATUS, "minItems": 1}]}
    ),
]


class Expect(BaseModel):
    """All that is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Statuses = Field(default=("200",), description="200, 2xx or a list of such")
    headers: dict[str, str] = Field(
        default_factory=dict, description="headers and their exact values"
    )
    body: str | None = Field(default=None, description="text that the body contains")
    body_matches: re.Pattern[str] | None = Field(
        default=None, description="regular expression that the body matches somewhere"
    )
    # Not `json`, which is a method of every pydantic model.
    json_: JsonValue = Field(default=None, alias="json", description="part of the JSON that comes")
    max_bytes: int = Field(
        default=1024 * 1024, ge=0, le=64 * 1024 * 1024, description="of the body; more is bad"
    )

    @property
    def needs_body(self) -> bool:
        """Whether anything is expected of the body."""
        return (self.body, self.body_matches, self.json_) != (None, None, None)


def judge(response: Response, expect: Expect) -> None:
    """Return when the answer is as expected; raises ProbeFailed with what came instead."""
    status = str(response.status)
    if status not in expect.status and f"{status[0]}xx" not in expect.status:
        wanted = " or ".join(expect.status)
        raise ProbeFailed(f"status {status}, not {wanted}{_begins(response)}")
    for name, value in expect.headers.items():
        found = response.headers.get(name.lower())
        if found is None:
            raise ProbeFailed(f"header {name} is missing")
        if found != value:
            raise ProbeFailed(f"header {name} is {_shown(found)}, not {_shown(value)}")
    if expect.needs_body:
        _judge_body(response, expect)


def _judge_body(response: Response, expect: Expect) -> None:
    coding = response.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        raise ProbeFailed(f"the body came as {_shown(coding)}, which was not asked for")
    text = response.body.decode("utf-8", "replace")
    if expect.body is not None and expect.body not in text:
        raise ProbeFailed(f"the body does not contain {_shown(expect.body)}{_begins(response)}")
    if expect.body_matches and not expect.body_matches.search(text):
        pattern = _shown(expect.body_matches.pattern)
        raise ProbeFailed(f"the body does not match {pattern}{_begins(response)}")
    if expect.json_ is not None:
        _judge_json(response, expect.json_)


def _judge_json(response: Response, expected: JsonValue) -> None:
    try:
        found = json.loads(bytes(response.body))
    except (ValueError, RecursionError) as error:
        raise ProbeFailed(f"the body is not JSON{_begins(response)}") from error
    if difference := next(_differences(expected, found, ""), None):
        raise ProbeFailed(f"json: {difference}")


def _differences(expected: JsonValue, found: JsonValue, where: str) -> Iterator[str]:
    """What of `expected` is not in `found`; what `found` has beyond it does not matter."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            inner = f"{where}.{key}" if where else key
            if key in found:
                yield from _differences(value, found[key], inner)
            else:
                yield f"{inner} is not there"
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for n, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differences(one, other, f"{where}[{n}]")
    elif not _same(expected, found):
        yield f"{where or 'it'} is {_shown(found)}, not {_shown(expected)}"


def _same(expected: JsonValue, found: JsonValue) -> bool:
    """Whether two scalars are the same as they are written: `5` is 5 and also "5"."""
    if isinstance(expected, (dict, list)) or isinstance(found, (dict, list)):
        return False
    return _written(expected) == _written(found)


def _written(value: JsonValue) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value)


def _begins(response: Response) -> str:
    """The beginning of the body, for a message; a little of it says more than the status."""
    text = bytes(response.body[: 4 * SHOWN]).decode("utf-8", "replace").strip()
    return f"; the body begins {_shown(text)}" if text else ""


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
