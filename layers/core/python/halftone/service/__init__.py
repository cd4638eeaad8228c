"""Use cases: each module does one thing a user or a workflow asks for, through ports."""
