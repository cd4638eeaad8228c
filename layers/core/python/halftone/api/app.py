"""The app: every router, on parts that are given to it."""

from importlib import import_module

from fastapi import FastAPI

from halftone.api import errors
from halftone.api.document import describe
from halftone.api.guard import Control

ROUTERS = (
    "routes_endpoints",
    "routes_releases",
    "routes_rollouts",
    "routes_serving",
    "routes_clients",
    "routes_record",
    "routes_preview",
    "routes_groups",
    "routes_models",
    "routes_versions",
    "routes_deployments",
    "routes_upkeep",
    "routes_logs",
    "routes_metrics",
)
"""The modules of ``halftone.api`` that have ``routes``, in the order of the document."""


def create_app(control: Control) -> FastAPI:
    """The control API on ``control``."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.control = control
    errors.install(app)
    for name in ROUTERS:
        # Its routes as they are: one list to search, and no second look at what each depends on.
        app.router.routes.extend(import_module(f"halftone.api.{name}").routes.routes)
    describe(app)
    return app
