"""Halftone: ships new model versions in measured steps and takes them back when they are worse."""

__all__ = ["__version__"]

__version__ = "0.1.0"
"""The version of all of Halftone: library, command, constructs and local AWS."""
