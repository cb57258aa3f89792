"""Imported once, by the server that instances are forked from: the slow part of their boot."""

from __future__ import annotations

import gc

from chaos.lab import apps, declaration, instances, sdk

__all__ = ["apps", "declaration", "instances", "sdk"]

sdk.prepare("dynamodb", "s3", "secretsmanager", "sqs", "stepfunctions")
# The forks need not look through it for garbage, nor copy it by doing so.
gc.freeze()
