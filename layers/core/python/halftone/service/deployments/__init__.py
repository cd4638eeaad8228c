"""Use cases: list, name, stop, start, scale and delete deployments."""
