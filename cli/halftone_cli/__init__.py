"""The ``halftone`` command: it parses, calls one use case, and prints what is true afterwards.

Nothing here decides about a rollout. AWS is reached through the ports of ``halftone.service``; only
``context`` reads the environment, only ``aws`` and ``calling`` know boto3.
"""
