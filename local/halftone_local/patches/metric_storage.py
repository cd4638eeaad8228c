"""Metrics are stored at their resolution and stay until they are old.

AWS: a metric has a storage resolution of 60 seconds unless it is published with 1; data is
aggregated to it, so that only high-resolution metrics answer for periods below a minute.
"Publish custom metrics", section High-resolution metrics,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html

ministack keeps every time as it was sent. Two threads that are the first to write to a metric can
lose one of the two points. And it rebuilds all lists of points at each request in order to drop
those older than two weeks, which costs more with each point and loses what other threads add
meanwhile; a local server does not live that long, so nothing is dropped here.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudwatch

from halftone_local.seams import need, wrap


def apply() -> None:
    wrap(cloudwatch, "_evict_old_metrics", lambda _original: lambda: None)
    wrap(cloudwatch, "_metric_bucket", _one_at_a_time)
    wrap(cloudwatch, "_put_metric_data", _floored)


def _one_at_a_time(original: Callable[..., Any]) -> Callable[..., Any]:
    turn = threading.Lock()

    def bucket(key: tuple[str, ...]) -> Any:
        with turn:
            return original(key)

    return bucket


def _floored(original: Callable[..., Any]) -> Callable[..., Any]:
    parse_time = need(cloudwatch, "_parse_ts")

    def put(
        params: Mapping[str, Any], data: dict[str, Any], is_cbor: bool, is_json: bool = False
    ) -> Any:
        for datum in data.get("MetricData", []):
            resolution = datum.get("StorageResolution", 60)
            moment = parse_time(datum.get("Timestamp")) or time.time()
            datum["Timestamp"] = moment // resolution * resolution
        return original(params, data, is_cbor, is_json)

    return put
