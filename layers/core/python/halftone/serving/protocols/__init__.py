"""Protocols: how records and predictions are written, and their validation."""
