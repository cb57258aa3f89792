"""Environments: the places where experiments happen, and the only door to boto3."""

from __future__ import annotations

KINDS = ("embedded", "localstack", "aws")
