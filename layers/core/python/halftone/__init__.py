"""Halftone: ships new model versions in measured steps and takes them back when they are worse."""
