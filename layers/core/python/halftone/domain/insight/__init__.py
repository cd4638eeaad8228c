"""Insight: captured requests, observations of keys, figures over time, log lines."""
