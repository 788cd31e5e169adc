"""Settings that all tests share."""

import pytest
from hypothesis import HealthCheck, settings

# Tests say what is true, not how fast: a busy machine must not make a property fail.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole sessions: they take longest, and would leave one worker alone at the end."""
    items.sort(key=lambda item: "whole" not in item.path.parts)
