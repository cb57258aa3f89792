"""What an HTTP answer must be, and in which words it is said that it is not."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from probes.probe import ProbeFailed

if TYPE_CHECKING:
    from probes.http_exchange import Response
from probes.json_values import SHOWN, differences, shown


def _statuses(given: object) -> tuple[str, ...]:
    """`200`, `2xx` or a list of such."""
    several = list(given) if isinstance(given, (list, tuple)) else [given]
    for status in several:
        if not re.fullmatch(r"[1-5](\d\d|xx)", str(status)):
            raise ValueError(f"{str(status)!r} is no status; write 200, 2xx or a list of such")
    if not several:
        raise ValueError("an empty list of statuses can never be met")
    return tuple(str(status) for status in several)


PART_OF_JSON = (
    "what the JSON of the body has in it: objects may have more keys, lists are compared item by"
    ' item, and scalars as they are written, so that 5 is also "5"'
)
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
    json_: JsonValue = Field(default=None, alias="json", description=PART_OF_JSON)
    max_bytes: int = Field(
        default=1024 * 1024,
        ge=0,
        le=64 * 1024 * 1024,
        description="bytes of the body at most; more is bad",
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
            raise ProbeFailed(f"header {name} is {shown(found)}, not {shown(value)}")
    if expect.needs_body:
        _judge_body(response, expect)


def _judge_body(response: Response, expect: Expect) -> None:
    coding = response.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        raise ProbeFailed(f"the body came as {shown(coding)}, which was not asked for")
    text = response.body.decode("utf-8", "replace")
    if expect.body is not None and expect.body not in text:
        raise ProbeFailed(f"the body does not contain {shown(expect.body)}{_begins(response)}")
    if expect.body_matches and not expect.body_matches.search(text):
        pattern = shown(expect.body_matches.pattern)
        raise ProbeFailed(f"the body does not match {pattern}{_begins(response)}")
    if expect.json_ is not None:
        _judge_json(response, expect.json_)


def _judge_json(response: Response, expected: JsonValue) -> None:
    try:
        found = json.loads(bytes(response.body))
    except (ValueError, RecursionError) as error:
        raise ProbeFailed(f"the body is not JSON{_begins(response)}") from error
    if difference := next(differences(expected, found), None):
        raise ProbeFailed(f"json: {difference}")


def _begins(response: Response) -> str:
    """The beginning of the body, for a message; a little of it says more than the status."""
    text = bytes(response.body[: 4 * SHOWN]).decode("utf-8", "replace").strip()
    return f"; the body begins {shown(text)}" if text else ""
