"""AWS on a laptop: ministack with the behaviours that Halftone depends on and ministack lacks.

Two halves that share no process. The supervisor (``supervisor.start``; on the command line
``halftone local`` and ``python -m halftone_local``) starts and stops the server and says how to
reach it. The server (``server``) runs on a virtual environment of its own (``installation``),
because the Python workers of deployed functions inherit its packages: what a function imports must
come from its layers, not from the tools that built it.

The stacks and the functions never import this package: they see an AWS endpoint and no more. Nor
does the CLI, but for ``--local`` and ``halftone local``. This module imports nothing, as both
halves import it.
"""
