"""The routes of endpoints on the HTTP API of a stage: their throttles and their address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from halftone.adapters.aws.clients import error_code, translated
from halftone.domain.endpoint.capacity import Throttle
from halftone.domain.errors import Conflict, NotFound, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_apigatewayv2.type_defs import RouteSettingsTypeDef

_STAGE = "$default"


class HttpGate:
    """Port ``Gate`` on API Gateway; ``api`` is the id of the stage's HTTP API."""

    def __init__(self, client: ApiGatewayV2Client, api: str) -> None:
        self._api = client
        self._id = api

    def throttle(self, endpoint: str, limit: Throttle | None) -> int:
        """See the port. One call a page of routes, two for the stage; one a route to take it away,
        and one for each setting whose route is gone.

        Settings of other endpoints' routes are left alone: UpdateStage merges by route key. It
        refuses every update of a stage that has settings of a route that is gone.
        """
        all_routes = list(self._all_routes(endpoint))
        routes = [key for key in all_routes if _is_of(endpoint, key)]
        if not routes:
            raise NotFound("endpoint", endpoint, "the HTTP API has no routes of it")
        settings = self._settings()
        for key in settings.keys() - {*all_routes}:
            self._release(endpoint, key)
        if limit is None:
            for key in routes:
                if key in settings:
                    self._release(endpoint, key)
            return len(routes)
        # Route settings stand in the place of the stage's: what is left out is off. Metrics by the
        # route stay off, as they are for the stage (halftone_cdk.constructs).
        route_settings: dict[str, RouteSettingsTypeDef] = {
            key: {
                "DetailedMetricsEnabled": False,
                "ThrottlingRateLimit": limit.rate,
                "ThrottlingBurstLimit": limit.burst,
            }
            for key in routes
        }
        with _translated(f"throttling the routes of {endpoint!r}"):
            self._api.update_stage(ApiId=self._id, StageName=_STAGE, RouteSettings=route_settings)
        read_back = self._settings()
        missing = [
            key
            for key in routes
            if _throttle(read_back.get(key, {})) != _throttle(route_settings[key])
        ]
        if missing:
            raise Unavailable(f"the throttle of {missing[0]!r} reads {read_back.get(missing[0])}")
        return len(routes)

    def url(self, endpoint: str) -> str:
        """See the port. No call, but for the first."""
        return f"{self._address}/endpoints/{endpoint}"

    def _release(self, endpoint: str, key: str) -> None:
        with _translated(f"taking the throttle from {key!r} of {endpoint!r}"):
            try:
                self._api.delete_route_settings(ApiId=self._id, StageName=_STAGE, RouteKey=key)
            except ClientError as error:
                if error_code(error) != "NotFoundException":
                    raise

    def _all_routes(self, endpoint: str) -> Iterator[str]:
        """The keys of the API's routes, such as ``POST /endpoints/fraud/invocations``."""
        pages = self._api.get_paginator("get_routes").paginate(ApiId=self._id)
        with translated(f"reading the routes of {endpoint!r}"):
            for page in pages:
                for route in page["Items"]:
                    yield route["RouteKey"]

    def _settings(self) -> dict[str, RouteSettingsTypeDef]:
        with translated("reading the throttles of the HTTP API"):
            stage = self._api.get_stage(ApiId=self._id, StageName=_STAGE)
        return stage.get("RouteSettings", {})

    @cached_property
    def _address(self) -> str:
        missing = NotFound("HTTP API", self._id, "deploy the stage's platform")
        with translated("looking for the HTTP API", {"NotFoundException": missing}):
            return self._api.get_api(ApiId=self._id)["ApiEndpoint"]


def _is_of(endpoint: str, key: str) -> bool:
    path = key.rpartition(" ")[2]
    mine = (f"/endpoints/{endpoint}", f"/v2/models/{endpoint}")
    return any(path == at or path.startswith(f"{at}/") for at in mine)


def _throttle(settings: RouteSettingsTypeDef) -> tuple[float | None, int | None]:
    # Settings have other fields, and which of them an answer leaves out is the API's affair.
    return settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """``translated``, with API Gateway's own words where it refuses what it was asked for."""
    with translated(doing):
        try:
            yield
        except ClientError as error:
            if error_code(error) in ("BadRequestException", "ConflictException"):
                message = error.response.get("Error", {}).get("Message", "no reason given")
                raise Conflict(f"API Gateway refused {doing}: {message}") from error
            raise
