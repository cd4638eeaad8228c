"""Inference: a package is installed, its model is loaded, and requests are answered by it."""
