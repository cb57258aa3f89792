"""An account whose reads tell for a while what was before a change, as those of AWS may."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from chaos.environments.environment import Environment
from probes.aws_api import reads


@dataclass
class Stale:
    """After each change, a read that was made before answers `lag` times as it did then."""

    inner: Environment
    lag: int
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        if not reads(operation):
            answer = await self.inner.call(service, region, operation, **params)
            self.left = dict.fromkeys(self.told, self.lag)
            return answer
        key = json.dumps([service, region, operation, params], sort_keys=True)
        if self.left.get(key, 0):
            self.left[key] -= 1
            return self.told[key]
        self.told[key] = await self.inner.call(service, region, operation, **params)
        return self.told[key]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)
