"""What IAM takes for a policy: its grammar, as far as identity policies may use it.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import re
from typing import Any

VERSION = "2012-10-17"
SID = re.compile(r"[A-Za-z0-9]+")
ACTION = re.compile(r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+")
# A partition may not be a wildcard, and the account is 12 digits, nothing, or a pattern.
ARN = re.compile(r"\*|arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9*-]*:(\d{12}|\*|aws)?:\S+")
OPERATOR = re.compile(
    r"(ForAllValues:|ForAnyValue:)?("
    r"String(Not)?(Equals|EqualsIgnoreCase|Like)|Numeric(Not)?Equals"
    r"|Numeric(Less|Greater)Than(Equals)?|Date(Not)?Equals|Date(Less|Greater)Than(Equals)?"
    r"|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like)"
    r")(IfExists)?|Null"
)
KEY = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+(/\S+)?")
STATEMENT = {"Sid", "Effect", "Action", "Resource", "Condition"}


def check_policy(policy: Any) -> None:
    """Raises AssertionError for what IAM would refuse as malformed."""
    assert set(policy) == {"Version", "Statement"}
    assert policy["Version"] == VERSION
    assert policy["Statement"]
    sids = [statement["Sid"] for statement in policy["Statement"]]
    assert len(sids) == len(set(sids)), "a Sid is there twice"
    for statement in policy["Statement"]:
        check_statement(statement)


def check_statement(statement: dict[str, Any]) -> None:
    """One statement that allows something."""
    assert set(statement) <= STATEMENT
    assert statement["Effect"] == "Allow"
    assert SID.fullmatch(statement["Sid"]), statement["Sid"]
    for pattern, name in ((ACTION, "Action"), (ARN, "Resource")):
        assert statement[name], f"no {name}"
        for text in statement[name]:
            assert pattern.fullmatch(text), f"{name} {text}"
    for operator, keys in statement.get("Condition", {}).items():
        assert OPERATOR.fullmatch(operator), operator
        assert keys
        for key, value in keys.items():
            assert KEY.fullmatch(key), key
            assert isinstance(value, str)
            assert value
