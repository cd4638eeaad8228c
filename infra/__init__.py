"""Halftone's stacks.

They read files of this checkout and the CDK context, and nothing else: no AWS, no git, no user
name, no clock, no random number. Synthesising twice gives the same templates.
"""
