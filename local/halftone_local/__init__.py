"""AWS on a laptop: ministack with the behaviours that Halftone depends on and ministack lacks.

Two halves that share no process. The supervisor (``supervisor.start``, and on the command line
``python -m halftone_local``) runs in the development environment, starts and stops the server and
says how to reach it. The server (``server``) runs on its own virtual environment, ``.local/venv``,
because the Python workers of deployed functions inherit its packages: what a function imports must
come from its layers, not from the tools that built it.

Nothing outside ``local/`` and its tests may import this package: the stacks, the functions and the
CLI see an AWS endpoint and no more. This module imports nothing, as both halves import it.
"""
