"""Settings that all tests share."""

from hypothesis import HealthCheck, settings

# Tests say what is true, not how fast: a busy machine must not make a property fail.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
