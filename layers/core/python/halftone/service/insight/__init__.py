"""Use cases: read figures, logs and history; preview a plan."""
