"""Telemetry: metric lines, captures, feedback, observations of keys."""
