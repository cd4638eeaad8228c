"""A deployed stage: how the command finds it, and what it reads of the account."""
