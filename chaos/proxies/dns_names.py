"""Patterns of domain names: `api.example.com`, `*.example.com` and `*`."""

from __future__ import annotations

import functools

import dns.exception
import dns.name

Labels = tuple[bytes, ...]  # of a name, in lower case, without the root's empty one


def means(pattern: str, name: Labels) -> bool:
    """Whether the pattern means the name; raises ValueError when it is no pattern."""
    below, labels = parsed(pattern)
    if not below:
        return name == labels
    return not labels or (len(name) > len(labels) and name[-len(labels) :] == labels)


@functools.lru_cache(maxsize=1024)
def parsed(pattern: str) -> tuple[bool, Labels]:
    """Whether all names below one are meant, and that one (none at all: any name is meant)."""
    if pattern == "*":
        return True, ()
    try:
        labels = labels_of(pattern.removeprefix("*."))
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{pattern!r} is no name: {error}") from error
    if not labels or any(b"*" in label for label in labels):
        raise ValueError(f"{pattern!r} is no pattern: write api.example.com, *.example.com or *")
    return pattern.startswith("*."), labels


def labels_of(name: str) -> Labels:
    """A name as people write it, compared as DNS does; raises DNSException or UnicodeError."""
    return tuple(label.lower() for label in dns.name.from_text(name).labels[:-1])
