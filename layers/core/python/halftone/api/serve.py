"""The same app on this machine, under uvicorn and on loopback alone.

    python -m halftone.api.serve                 on the stage that the environment names
    python -m halftone.api.serve --memory        on parts in memory, to try it

Whoever reaches the port acts as whoever started it: nobody signs here.
"""

import argparse

from halftone.api.app import create_app
from halftone.api.authorizer import ApiContext

HOST = "127.0.0.1"
NOBODY = "arn:aws:iam::000000000000:user/nobody"
"""Who acts in memory."""


def control(*, memory: bool) -> ApiContext:
    """What the app works on; the principal is that of the process' own credentials."""
    if memory:
        from halftone.testing import InMemoryStage  # noqa: PLC0415 - for this alone

        return ApiContext(InMemoryStage().ports(), lambda _: NOBODY)
    from halftone.bootstrap import caller, ports, settings  # noqa: PLC0415 - reads the environment

    arn = caller()
    stage = settings()
    return ApiContext(
        ports(stage, lazy=True),
        lambda _: arn,
        stage.self_approval,
        stage.stage,
        stage.webhook_hosts,
    )


def main() -> None:
    """Serve until interrupted."""
    import uvicorn  # noqa: PLC0415 - not on Lambda

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8750)
    parser.add_argument("--memory", action="store_true", help="on parts in memory")
    arguments = parser.parse_args()
    uvicorn.run(create_app(control(memory=arguments.memory)), host=HOST, port=arguments.port)


if __name__ == "__main__":
    main()
