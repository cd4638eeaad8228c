"""The app: every router, on parts that are given to it."""

from importlib import import_module

from fastapi import FastAPI

from halftone.api import errors
from halftone.api.authorizer import ApiContext
from halftone.api.openapi import describe

ROUTERS = (
    "endpoints",
    "releases",
    "rollouts",
    "overview",
    "stage_wide.inbox",
    "traffic",
    "clients",
    "record",
    "preview",
    "stage_wide.groups",
    "models",
    "versions",
    "deployments",
    "capacity",
    "logs",
    "metrics",
    "stage_wide.subscriptions",
)
"""The modules of ``halftone.api.routers`` that have ``routes``, in the order of the document."""


def create_app(control: ApiContext) -> FastAPI:
    """The control API on ``control``."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.control = control
    errors.install(app)
    for name in ROUTERS:
        # Its routes as they are: one list to search, and no second look at what each depends on.
        app.router.routes.extend(import_module(f"halftone.api.routers.{name}").routes.routes)
    describe(app)
    return app
