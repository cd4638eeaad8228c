"""Model packages and endpoint declarations on disk, read and built."""
