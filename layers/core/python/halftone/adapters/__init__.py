"""The ports on real AWS services, and in memory for tests."""
