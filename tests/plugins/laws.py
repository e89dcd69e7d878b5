"""How hypothesis searches for exceptions to our laws: by examples, not by the clock.

Wall time says nothing on a shared machine, so neither a slow example nor a slow draw fails a test;
``timeout`` in pyproject.toml bounds each test all the same.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "tribute", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("tribute")
