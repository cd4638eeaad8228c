"""A rule's function is invoked asynchronously: tried again, then sent to its dead-letter queue.

AWS: EventBridge invokes functions asynchronously; Lambda retries a failed one twice and then hands
the event to the function's dead-letter queue or failure destination. "Invoke a Lambda function
asynchronously", https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html

ministack executes a rule's function once and forgets how it went. The waits between the attempts
are its own: seconds where AWS takes minutes.
"""

import json
import logging

from ministack.services import eventbridge, lambda_svc

from halftone_local.seams import need, wrap


def apply() -> None:
    need(lambda_svc, "invoke_async_with_retry")
    wrap(eventbridge, "_dispatch_to_lambda", lambda _original: _invoke)


def _invoke(arn: str, payload: str) -> None:
    record, config, name = need(lambda_svc, "_get_func_record_for_ref")(arn)
    if record is None or config is None:
        logging.getLogger(__name__).warning("rule's target %s does not exist", name)
        return
    execution = need(lambda_svc, "_execution_record_for_config")(record, config)
    need(lambda_svc, "invoke_async_with_retry")(execution, json.loads(payload))
