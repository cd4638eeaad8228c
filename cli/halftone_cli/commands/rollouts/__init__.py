"""Commands that release, control a rollout, roll back, and show its status."""
