"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# The same examples each time, however slow the machine is. ``--hypothesis-profile=default`` looks
# for new ones.
settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")
