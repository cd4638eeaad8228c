"""Settings of single routes of a stage are merged into those there are, and taken away one by one.

AWS: UpdateStage takes settings by route key and leaves those of other routes alone; a key is
removed by DeleteRouteSettings; a key without a route is refused. "Stage" and "RouteSettings" in
https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html

ministack puts the given settings in the place of all others, and takes a DELETE below a stage for
one of the stage itself.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from ministack.services import apigateway

from halftone_local.seams import need, wrap


def apply() -> None:
    wrap(apigateway, "_update_stage", _merging)
    wrap(apigateway, "handle_request", _deleting)


def _merging(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(api_id: str, stage_name: str, data: dict[str, Any]) -> Any:
        settings = data.get("routeSettings")
        stage = need(apigateway, "_stages").get(api_id, {}).get(stage_name)
        if settings is None or stage is None:
            return original(api_id, stage_name, data)
        keys = {route["routeKey"] for route in need(apigateway, "_routes").get(api_id, {}).values()}
        # Documented for the keys of a request only; that settings of a route which is gone refuse
        # any update is the stricter reading (docs/aws-assumptions.md).
        for key in {**stage.get("routeSettings", {}), **settings}:
            if key not in keys:
                return _error(
                    f"Unable to find Route by key {key} within the provided RouteSettings"
                )
        merged = {**stage.get("routeSettings", {}), **settings}
        return original(api_id, stage_name, {**data, "routeSettings": merged})

    return update


def _deleting(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def handle(method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        # v2/apis/{api}/stages/{stage}/routesettings/{route key, with a slash in it}
        steps = path.strip("/").split("/", 6)
        if method != "DELETE" or len(steps) != 7 or steps[5] != "routesettings":
            return await original(method, path, *args, **kwargs)
        stage = need(apigateway, "_stages").get(steps[2], {}).get(unquote(steps[4]))
        key = unquote(steps[6])
        if stage is None or stage.get("routeSettings", {}).pop(key, None) is None:
            return _error(f"Unable to find route settings of {key}")
        return 204, {}, b""

    return handle


def _error(message: str) -> Any:
    return need(apigateway, "_apigw_error")("NotFoundException", message, 404)
