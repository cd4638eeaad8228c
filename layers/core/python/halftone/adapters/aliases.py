"""The ``live`` alias of an endpoint's function on Lambda.

The engine alone writes it after the template has created it. ``main`` is the alias' version,
``other`` the one additional version with its weight. Lambda's weights are fractions; ours percent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from halftone.adapters.aws import translated
from halftone.domain.errors import HalftoneError, NotFound, RoutingChanged
from halftone.domain.names import ALIAS, function_name
from halftone.domain.routing import ReadRouting, Routing

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaAliases:
    """Port ``Aliases`` on AWS Lambda."""

    def __init__(self, client: LambdaClient, stage: str) -> None:
        self._lambda = client
        self._stage = stage

    def read(self, endpoint: str) -> ReadRouting:
        """See the port. One call: GetAlias."""
        name = function_name(self._stage, endpoint)
        with translated(f"reading the alias of {endpoint!r}", self._gone(endpoint)):
            alias = self._lambda.get_alias(FunctionName=name, Name=ALIAS)
        weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        routing = Routing(alias["FunctionVersion"])
        for version, weight in weights.items():
            if weight:
                routing = Routing(alias["FunctionVersion"], version, round(weight * 100, 6))
        return ReadRouting(routing, alias["RevisionId"])

    def write(self, endpoint: str, routing: Routing, *, revision: str | None) -> str:
        """See the port. One call: UpdateAlias."""
        weights = {routing.other: round(routing.share / 100, 8)} if routing.other else {}
        guard = {} if revision is None else {"RevisionId": revision}
        moved = RoutingChanged(f"the alias of {endpoint!r} is no longer at revision {revision}")
        expected = {"PreconditionFailedException": moved, **self._gone(endpoint)}
        with translated(f"writing the alias of {endpoint!r}", expected):
            alias = self._lambda.update_alias(
                FunctionName=function_name(self._stage, endpoint),
                Name=ALIAS,
                FunctionVersion=routing.main,
                RoutingConfig={"AdditionalVersionWeights": weights},
                **guard,
            )
        return alias["RevisionId"]

    def _gone(self, endpoint: str) -> Mapping[str, HalftoneError]:
        name = function_name(self._stage, endpoint)
        missing = NotFound("endpoint", endpoint, f"no alias {ALIAS!r} of function {name!r}")
        return {"ResourceNotFoundException": missing}
