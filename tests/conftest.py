"""Timing never decides a test: Hypothesis gives each example the time that it takes."""

from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
