"""Use cases: change an endpoint without a deploy, declare it, retire it."""
