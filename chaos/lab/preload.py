"""Imported once, by the server that instances are forked from: the slow part of their boot."""

from __future__ import annotations

import gc

from chaos.lab import apps, declaration, instances, playback

__all__ = ["apps", "declaration", "instances", "playback"]

# Reads botocore's description of DynamoDB, which the forks then have in memory.
playback.session().client("dynamodb", region_name="us-east-1")
# The forks need not look through it for garbage, nor copy it by doing so.
gc.freeze()
