"""An account whose reads tell for a while what was before a change, as those of AWS may."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from chaos.environments.environment import Environment
from probes.aws_api import reads


@dataclass
class Stale:
    """What a read would tell anew, it tells only after it has been asked `lag` times more."""

    inner: Environment
    lag: int
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    hidden: dict[str, int] = field(default_factory=dict)

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        answer = await self.inner.call(service, region, operation, **params)
        if not reads(operation):
            return answer
        answer.pop("ResponseMetadata", None)
        key = json.dumps([service, region, operation, params], sort_keys=True)
        before = self.told.setdefault(key, answer)
        if before != answer and self.hidden.setdefault(key, self.lag):
            self.hidden[key] -= 1
            return before
        self.hidden.pop(key, None)
        self.told[key] = answer
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)
