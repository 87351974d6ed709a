"""How hard properties are tried."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "long",
    max_examples=1000,
    stateful_step_count=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a thousand shops take their time
)
