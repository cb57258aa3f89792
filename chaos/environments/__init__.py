"""Environments: the places where experiments happen, and the only door to boto3."""
