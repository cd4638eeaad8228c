"""The demonstration: the whole story on a local AWS, by the commands a user would give."""
