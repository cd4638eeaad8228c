"""Use cases: models, their versions and aliases."""
