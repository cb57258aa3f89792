"""Chaos drills with a verdict: break a system on AWS, measure its recovery, put everything back."""

__version__ = "0.1.0"
