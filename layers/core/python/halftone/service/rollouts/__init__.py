"""Use cases: everything that moves a rollout, forward or back."""
