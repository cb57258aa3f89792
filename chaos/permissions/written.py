"""Policies as Terraform and CloudFormation have them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from chaos.permissions.policy import Document, Statement


def terraform(name: str, policies: Sequence[Document]) -> str:
    """HCL: for each policy a document as data, and the managed policy that has it."""
    blocks = [
        block
        for number, policy in enumerate(policies, 1)
        for block in _blocks(_numbered(name, number, len(policies)), policy)
    ]
    return "\n\n".join(blocks)


def cloudformation(name: str, policies: Sequence[Document]) -> str:
    """A template in YAML that makes a managed policy of each, and tells their ARNs."""
    many = len(policies)
    names = [_numbered(name, number, many) for number in range(1, many + 1)]
    lines = [
        'AWSTemplateFormatVersion: "2010-09-09"',
        f"Description: {json.dumps(_described(name))}",
        "Resources:",
    ]
    for each, policy in zip(names, policies, strict=True):
        lines += [
            f"  {_pascal(each)}:",
            "    Type: AWS::IAM::ManagedPolicy",
            "    Properties:",
            f"      Description: {json.dumps(_described(each))}",
            "      PolicyDocument:",
            *_yaml(policy, 8),
        ]
    lines.append("Outputs:")
    for each in map(_pascal, names):
        lines += [f"  {each}Arn:", "    Value:", f"      Ref: {each}"]
    return "\n".join(lines)


def _numbered(name: str, number: int, many: int) -> str:
    return f"chaos-{name}" + (f"-{number}" if many > 1 else "")


def _described(name: str) -> str:
    return f"What the chaos drill {name.removeprefix('chaos-')} may do, and no more"


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", name))


def _blocks(name: str, policy: Document) -> Iterator[str]:
    label = re.sub(r"[^a-z0-9]", "_", name)
    inner = "\n\n".join(_block(statement) for statement in policy["Statement"])
    yield f'data "aws_iam_policy_document" "{label}" {{\n{inner}\n}}'
    yield (
        f'resource "aws_iam_policy" "{label}" {{\n'
        f"  name        = {_hcl(name)}\n"
        f"  description = {_hcl(_described(name))}\n"
        f"  policy      = data.aws_iam_policy_document.{label}.json\n}}"
    )


def _block(statement: Statement) -> str:
    """A statement, as `terraform fmt` leaves it."""
    parts = [f"    sid = {_hcl(statement['Sid'])}"]
    parts += [
        f"    {name.lower()}s = {_hcl_list(statement[name], 4)}" for name in ("Action", "Resource")
    ]
    parts += [
        f"    condition {{\n      test     = {_hcl(test)}\n      variable = {_hcl(key)}\n"
        f"      values   = [{_hcl(value)}]\n    }}"
        for test, keys in statement.get("Condition", {}).items()
        for key, value in keys.items()
    ]
    return "\n".join(["  statement {", "\n\n".join(parts), "  }"])


def _hcl_list(texts: Sequence[str], indent: int) -> str:
    pad = " " * indent
    inner = "".join(f"{pad}  {_hcl(text)},\n" for text in texts)
    return f"[\n{inner}{pad}]"


def _hcl(text: str) -> str:
    """Quoted; what IAM is to fill in is written `&{…}` in this data source, as Terraform asks."""
    return json.dumps(text).replace("${", "&{").replace("%{", "%%{")


def _yaml(value: Any, indent: int) -> Iterator[str]:
    """In blocks; each text is quoted as JSON does it, which YAML reads."""
    pad = " " * indent
    pairs = value.items() if isinstance(value, dict) else (("-", item) for item in value)
    for key, item in pairs:
        head = "-" if isinstance(value, list) else f"{_key(key)}:"
        if isinstance(item, str):
            yield f"{pad}{head} {json.dumps(item)}"
        elif isinstance(value, list):
            first, *rest = _yaml(item, indent + 2)
            yield f"{pad}- {first.lstrip()}"
            yield from rest
        else:
            yield f"{pad}{head}"
            yield from _yaml(item, indent + 2)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z]+", key) else json.dumps(key)
