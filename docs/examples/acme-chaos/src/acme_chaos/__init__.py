"""Acme's feature flags, for chaos drills: a lever, a fault and a probe."""
