"""Halftone: ships new model versions in measured steps and takes them back when they are worse."""

__all__ = ["__version__"]

__version__ = "0.2.0.dev0"
"""The version of all of Halftone: library, command, constructs and local AWS."""
