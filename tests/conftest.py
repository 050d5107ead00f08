"""What holds for all tests: a busy machine fails none of them."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Both judge by the clock: how long an example takes, and how long examples take to make.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
