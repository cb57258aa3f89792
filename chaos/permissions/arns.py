"""ARNs as IAM wants them: of the right partition, and of the one account that is meant."""

from __future__ import annotations

import re


def placed(arn: str, partition: str, account: str | None) -> str:
    """The ARN in that partition, and in that account where it left the account open.

    What is no ARN of the partition `aws`, such as `*`, stays as it is.
    """
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[:2] != ["arn", "aws"]:
        return arn
    if parts[4] == "*" and account:
        parts[4] = account
    return ":".join(["arn", partition, *parts[2:]])


def fits(pattern: str, arn: str) -> bool:
    """Whether an ARN is one of those that a pattern with `*` and `?` means."""
    wanted = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(wanted, arn, re.DOTALL) is not None
