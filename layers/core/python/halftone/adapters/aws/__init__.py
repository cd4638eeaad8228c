"""The ports on real AWS services."""
