"""A greedy route takes a final slash: ``/v2/{proxy+}`` meets ``/v2/``, with an empty rest.

AWS: an HTTP API takes no route whose path ends in a slash, and passes a request whose path does to
the greedy route. "Routing API requests" in
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html

ministack asks for at least one character there. This is an assumption until a real account has
shown it.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import apigateway

from halftone_local.seams import wrap


def apply() -> None:
    wrap(apigateway, "_extract_path_params", _greedy)


def _greedy(original: Callable[..., Any]) -> Callable[..., Any]:
    def extract(route_path: str, request_path: str) -> Any:
        values = original(route_path, request_path)
        if values is not None or not request_path.endswith("/") or not route_path.endswith("+}"):
            return values
        values = original(route_path, f"{request_path}x")
        greedy = route_path.rpartition("{")[2].removesuffix("+}")
        return None if values is None else {**values, greedy: ""}

    return extract
