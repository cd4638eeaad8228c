"""The behaviours of AWS that ministack lacks and Halftone depends on: one module each.

Each module says which behaviour it adds and on which page AWS documents it, has ``apply()``, and is
held by contract tests (tests/contract/local) that speak to the running server as they would to AWS.
"""

import importlib
import logging

from halftone_local.access.mode import Mode, mode

ALL = (
    "metric_storage",
    "metric_queries",
    "alarms",
    "alarm_events",
    "emf_metrics",
    "lambda_metrics",
    "alias_weights",
    "handler_errors",
    "log_lines",
    "log_subscriptions",
    "log_streams",
    "layer_cache",
    "event_targets",
    "start_execution",
    "route_settings",
    "greedy_routes",
    "composite_alarm_cfn",
)


ACCESS = ("policies", "invocations")
"""Modules of ``halftone_local.access``: last, so that nothing gets past them."""


def apply_all() -> tuple[str, ...]:
    """Apply every patch, in order; raises seams.MissingSeamError when ministack has changed."""
    for name in ALL:
        importlib.import_module(f"halftone_local.patches.{name}").apply()
        logging.getLogger(__name__).debug("applied %s", name)
    if mode() is Mode.OFF:
        return ALL
    for name in ACCESS:
        importlib.import_module(f"halftone_local.access.{name}").apply()
    return (*ALL, *ACCESS)
