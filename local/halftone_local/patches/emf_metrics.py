"""Log lines of a function in the embedded metric format become metrics.

AWS: CloudWatch Logs extracts the metrics of each valid document, under each of its dimension sets,
with unit, storage resolution and arrays of values; any other line stays a log line.
"Embedding metrics within logs",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
CloudWatch Logs takes events from 14 days ago to 2 hours ahead ("PutLogEvents",
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html).
"""

import time
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

from halftone_local import metric_store
from halftone_local.emf import metrics_in
from halftone_local.seams import wrap

OLDEST_SECONDS = 14 * 86400
NEWEST_SECONDS = 2 * 3600


def apply() -> None:
    # Every path of invocation ends in this function, whose second argument but one is the log.
    wrap(lambda_svc, "_emit_lambda_logs", _extracting)


def _extracting(original: Callable[..., None]) -> Callable[..., None]:
    def emit(
        func: dict[str, Any], request_id: str, log_text: str, *args: Any, **kwargs: Any
    ) -> None:
        original(func, request_id, log_text, *args, **kwargs)
        now = time.time()
        for line in (log_text or "").split("\n"):
            for metric in metrics_in(line):
                if -OLDEST_SECONDS <= metric.time - now <= NEWEST_SECONDS:
                    metric_store.write(
                        metric.namespace,
                        metric.name,
                        metric.dimensions,
                        unit=metric.unit,
                        time=metric.time,
                        values=metric.values,
                        resolution=metric.resolution,
                    )

    return emit
