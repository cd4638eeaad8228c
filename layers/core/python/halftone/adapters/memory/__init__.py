"""The ports in memory, for tests and for development. Import them from ``halftone.testing``."""
