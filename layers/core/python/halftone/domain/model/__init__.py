"""Model packages: their manifest, their signature, their samples, and the registry of versions."""
