"""The aliases ``live`` and ``challenger`` of an endpoint's function on Lambda.

The engine alone writes them after the template has created them. ``main`` is the alias' version,
``other`` the one additional version with its weight. Lambda's weights are fractions; ours percent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from halftone.adapters.aws.clients import translated
from halftone.domain.errors import HalftoneError, NotFound, RoutingChanged
from halftone.domain.names import ALIAS, CHALLENGER, function_name
from halftone.domain.rollout.routing import Anchor, ReadAliases, ReadRouting, Routing

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import (
        AliasConfigurationResponseTypeDef,
        AliasConfigurationTypeDef,
    )


class LambdaAliases:
    """Port ``Aliases`` on AWS Lambda."""

    def __init__(self, client: LambdaClient, stage: str) -> None:
        self._lambda = client
        self._stage = stage

    def read(self, endpoint: str, alias: str = ALIAS) -> ReadRouting:
        """See the port. One call: GetAlias."""
        name = function_name(self._stage, endpoint)
        with translated(_doing("reading", endpoint, alias), self._gone(endpoint, alias)):
            alias_read = self._lambda.get_alias(FunctionName=name, Name=alias)
        return _read(alias_read)

    def both(self, endpoint: str) -> ReadAliases:
        """See the port. One call: ListAliases, as long as nobody adds dozens of others."""
        name = function_name(self._stage, endpoint)
        pages = self._lambda.get_paginator("list_aliases").paginate(FunctionName=name)
        with translated(f"reading the aliases of {endpoint!r}", self._gone(endpoint, ALIAS)):
            by_name = {alias["Name"]: _read(alias) for page in pages for alias in page["Aliases"]}
        for alias in (ALIAS, CHALLENGER):
            if alias not in by_name:
                raise self._missing(endpoint, alias)
        return ReadAliases(live=by_name[ALIAS], challenger=by_name[CHALLENGER])

    def write(
        self,
        endpoint: str,
        routing: Routing,
        *,
        revision: str | None,
        alias: str = ALIAS,
        anchor: Anchor | None = None,
    ) -> str:
        """See the port. One call: UpdateAlias. The anchor is the alias' description."""
        weights = {routing.other: round(routing.share / 100, 8)} if routing.other else {}
        guard = {} if revision is None else {"RevisionId": revision}
        description = {} if anchor is None else {"Description": str(anchor)}
        moved = RoutingChanged(
            f"the alias {alias!r} of {endpoint!r} is no longer at revision {revision}"
        )
        expected = {"PreconditionFailedException": moved, **self._gone(endpoint, alias)}
        with translated(_doing("writing", endpoint, alias), expected):
            written = self._lambda.update_alias(
                FunctionName=function_name(self._stage, endpoint),
                Name=alias,
                FunctionVersion=routing.main,
                RoutingConfig={"AdditionalVersionWeights": weights},
                **description,
                **guard,
            )
        return written["RevisionId"]

    def _gone(self, endpoint: str, alias: str) -> Mapping[str, HalftoneError]:
        return {"ResourceNotFoundException": self._missing(endpoint, alias)}

    def _missing(self, endpoint: str, alias: str) -> NotFound:
        name = function_name(self._stage, endpoint)
        remedy = f"no alias {alias!r} of function {name!r}: deploy the stack of {endpoint!r} again"
        return NotFound("endpoint", endpoint, remedy)


def _doing(what: str, endpoint: str, alias: str) -> str:
    return f"{what} the alias {alias!r} of {endpoint!r}"


def _read(alias: AliasConfigurationTypeDef | AliasConfigurationResponseTypeDef) -> ReadRouting:
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    routing = Routing(alias["FunctionVersion"])
    for version, weight in weights.items():
        if weight:
            routing = Routing(alias["FunctionVersion"], version, round(weight * 100, 6))
    return ReadRouting(routing, alias["RevisionId"], Anchor.read(alias.get("Description", "")))
