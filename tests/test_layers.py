"""The tree is the architecture diagram: a module imports from lower layers only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Highest first. Modules of one row may not import each other, but within a package they may.
LAYERS = [
    {"chaos.__main__"},
    {"chaos.cli", "chaos.testing"},
    {"chaos.trials"},
    {"chaos.drill", "chaos.doctor", "chaos.sandbox"},
    {"chaos.plan"},
    {"chaos.permissions"},
    {"chaos.wishes"},
    {"chaos.run"},
    {"chaos.stops"},
    {"chaos.custody", "chaos.telemetry"},
    {"chaos.evidence"},
    {"chaos.safety", "chaos.rollback", "chaos.report", "chaos.probing", "chaos.metrics"},
    {"chaos.catalog", "chaos.reference"},
    {"chaos.watch", "chaos.record"},
    {"chaos.injection"},
    {"chaos.outside", "chaos.recording"},
    {"chaos.results", "chaos.stated"},
    {"chaos.verdict"},
    {"chaos.experiment", "chaos.library"},
    {"chaos.faults"},
    {"chaos.history", "chaos.runs"},
    {
        "chaos.asked_ledgers",
        "chaos.called",
        "chaos.lags",
        "chaos.marks",
        "chaos.pulls",
        "chaos.salvaging",
        "chaos.sampled",
    },
    {"chaos.levers", "chaos.schema", "chaos.journal"},
    {"chaos.lab"},
    {"chaos.environments", "chaos.proxies"},
    {"chaos.extensions", "chaos.loops", "chaos.urls", "probes"},
    {"chaos.statistics", "chaos.chance"},
    {
        "chaos.errors",
        "chaos.packing",
        "chaos.private",
        "chaos.secrets",
        "chaos.versions",
        "chaos.who",
    },
    {"chaos"},  # the version
]
# Each of these libraries has one door. The lab's apps are workloads, so they use the real SDK.
DOORS = {
    "boto3": {"chaos.environments.calls", "chaos.lab.sdk"},
    "botocore": {
        "chaos.environments.account",
        "chaos.environments.calls",
        "chaos.environments.credentials",
        "chaos.lab.sdk",
        "chaos.proxies.operations_models",  # its data files alone
    },
    "cryptography": {"chaos.sandbox.authority"},
    "grpc": {"probes.grpc_health"},
    "grpc_health": {"probes.grpc_health"},
    "jmespath": {"probes.jmespaths"},
    "yaml": {"chaos.schema.reader"},
    "moto": {"chaos.lab.moto"},
    "opentelemetry": {"chaos.telemetry.otlp", "chaos.telemetry.points"},
    "prometheus_client": {"chaos.metrics", "chaos.metrics.pushing", "chaos.metrics.serving"},
    "psycopg": {"chaos.results.postgresql", "probes.sql_servers"},
    "pymysql": {"probes.sql_servers"},
    "rich": {"chaos.cli.live", "chaos.cli.panel"},
    "uvloop": {"chaos.loops"},
}

FILES = sorted([*ROOT.glob("chaos/**/*.py"), *ROOT.glob("probes/**/*.py")])


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    """The name in the table that stands for a module: itself, or its package."""
    parts = module.split(".")
    names = [name for layer in LAYERS for name in layer]
    return next(
        (n for size in (2, 1) if (n := ".".join(parts[:size])) in names),
        module,
    )


def level(name: str) -> int:
    found = [height for height, layer in enumerate(reversed(LAYERS)) if name in layer]
    assert found, f"{name} stands in no layer: give it one in this table"
    return found[0]


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_module_imports_from_lower_layers_only(path: Path) -> None:
    here = room(module_of(path))
    for module in imports(path):
        there = room(module)
        if module.split(".")[0] in ("chaos", "probes") and there != here:
            assert level(there) < level(here), f"{module_of(path)} may not import {module}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_each_library_comes_in_by_one_door(path: Path) -> None:
    for module in imports(path):
        doors = DOORS.get(module.split(".")[0])
        assert doors is None or module_of(path) in doors, f"{module_of(path)} imports {module}"


def test_probes_know_nothing_of_chaos() -> None:
    probes = [path for path in FILES if module_of(path).split(".")[0] == "probes"]
    assert probes
    for path in probes:
        assert not any(module.split(".")[0] == "chaos" for module in imports(path))
