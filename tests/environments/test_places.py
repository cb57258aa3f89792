"""Which environment: an endpoint goes with one that is found, and with no other."""

from __future__ import annotations

import pytest

from chaos.environments.opening import Place
from chaos.errors import InvalidInput


def test_the_embedded_environment_has_no_endpoint() -> None:
    with pytest.raises(InvalidInput, match="add --environment localstack"):
        Place(kind="embedded", endpoint="http://127.0.0.1:4566")
    Place(kind="localstack", endpoint="http://127.0.0.1:4566")
