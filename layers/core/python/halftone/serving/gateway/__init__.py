"""The gateway: from a client's request to the answer of one version, with fallback and records."""
