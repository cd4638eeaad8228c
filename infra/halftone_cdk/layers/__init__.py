"""Lambda layers, built from the locks without containers."""
