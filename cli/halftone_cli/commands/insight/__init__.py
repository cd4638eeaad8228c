"""Commands that read: audit, metrics, logs, checks of a stage."""
