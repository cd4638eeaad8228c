"""Use cases: release a package, and revert to an earlier one."""
