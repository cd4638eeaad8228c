"""What AWS's own services may call: functions by their resource policies, others by a role's.

AWS: "Using resource-based policies for Lambda",
https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html: a service that
invokes a function is let in by a statement of the function, or of the alias or version that it
names, with the service as principal and, where the statement has conditions, the ARN and account
that it calls for. Step Functions calls with the role of its state machine ("How Step Functions
works with IAM",
https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html). The log of a
function and its failed events are written with its execution role ("Defining Lambda function
permissions with an execution role",
https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html).

ministack asks none of these.
"""

import json
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import apigateway, eventbridge, lambda_svc, stepfunctions

from halftone_local.access.mode import Mode, mode, refuse
from halftone_local.seams import need, wrap

_rule: ContextVar[str] = ContextVar("halftone_event_rule", default="")
_machine_role: ContextVar[str] = ContextVar("halftone_machine_role", default="")


def apply() -> None:
    need(iam_evaluator, "_gather_role_policies")
    need(lambda_svc, "_get_func_record_for_ref")
    wrap(apigateway, "_invoke_lambda_proxy", _by_api)
    wrap(eventbridge, "_invoke_target", _by_rule)
    wrap(eventbridge, "_dispatch_to_lambda", _if_rule_may)
    wrap(stepfunctions, "_run_execution", _by_machine)
    wrap(stepfunctions, "_call_lambda", _if_machine_may)
    wrap(lambda_svc, "_emit_lambda_logs", _if_role_may_log)
    wrap(lambda_svc, "_route_async_failure", _if_role_may_send)


def may_invoke(function: str, service: str, source: str) -> bool:
    """Whether the policy of ``function`` lets ``service`` invoke it for ``source``, an ARN."""
    if mode() is Mode.OFF:
        return True
    _record, config, name = need(lambda_svc, "_get_func_record_for_ref")(function)
    if config is None:
        return True  # it is not there: whoever calls says so
    stored = need(lambda_svc, "_functions").get(name.split(":")[0]) or {}
    context = iam_evaluator.EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=function,
        region=get_region(),
        service_context={"aws:sourcearn": source, "aws:sourceaccount": get_account_id()},
    )
    statements = [
        statement
        for statement in (stored.get("policy") or {}).get("Statement", [])
        if _is_for(statement, service)
    ]
    parsed = iam_evaluator.parse_policy_document({"Statement": statements})
    if iam_evaluator.evaluate(context, [parsed]).decision == "Allow":
        return True
    reason = f"no statement of the function lets it in for {source}"
    return not refuse("lambda:InvokeFunction", function, service, reason)


def _is_for(statement: dict[str, Any], service: str) -> bool:
    principal = statement.get("Principal")
    named = principal.get("Service", []) if isinstance(principal, dict) else []
    return service in ([named] if isinstance(named, str) else named)


def role_may(role: str, action: str, resource: str) -> bool:
    """Whether the policies of the role with the ARN ``role`` allow ``action`` on ``resource``."""
    if mode() is Mode.OFF:
        return True
    account = get_account_id()
    name = role.rpartition("/")[2]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/service",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
    )
    policies = need(iam_evaluator, "_gather_role_policies")(name, account)
    result = iam_evaluator.evaluate(context, policies)
    return result.decision == "Allow" or not refuse(action, resource, role, result.reason)


def _by_api(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def invoke(
        integration: dict[str, Any],
        api_id: str,
        stage: str,
        path: str,
        method: str,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        # The route's own path, variables and all, is what a permission names.
        key = kwargs.get("route_key") or (args[3] if len(args) > 3 else "$default")
        route = key.partition(" ")[2] or "/$default"
        api = f"arn:aws:execute-api:{get_region()}:{get_account_id()}:{api_id}"
        source = f"{api}/{stage}/{method}{route}"
        uri = integration.get("integrationUri", "")
        function = need(apigateway, "_extract_lambda_ref_from_integration_uri")(uri)
        if not may_invoke(function, "apigateway.amazonaws.com", source):
            body = json.dumps({"message": "Internal Server Error"}).encode()
            return 500, {"Content-Type": "application/json"}, body
        return await original(integration, api_id, stage, path, method, *args, **kwargs)

    return invoke


def _by_rule(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(target: Any, event: Any, rule: dict[str, Any], view: Any = None) -> Any:
        token = _rule.set((rule or {}).get("Arn", ""))
        try:
            return original(target, event, rule, view)
        finally:
            _rule.reset(token)

    return invoke


def _if_rule_may(original: Callable[[str, str], None]) -> Callable[[str, str], None]:
    def dispatch(arn: str, payload: str) -> None:
        if may_invoke(arn, "events.amazonaws.com", _rule.get()):
            original(arn, payload)

    return dispatch


def _by_machine(original: Callable[..., Any]) -> Callable[..., Any]:
    def run(execution_arn: str, *args: Any, **kwargs: Any) -> Any:
        execution = need(stepfunctions, "_executions").get(execution_arn) or {}
        machines = need(stepfunctions, "_state_machines")
        machine = machines.get(execution.get("stateMachineArn", "")) or {}
        _machine_role.set(machine.get("roleArn", ""))
        return original(execution_arn, *args, **kwargs)

    return run


def _if_machine_may(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(function: str, event: Any) -> Any:
        role = _machine_role.get()
        if role and not role_may(role, "lambda:InvokeFunction", function):
            raise need(stepfunctions, "_ExecutionError")(
                "Lambda.AWSLambdaException",
                f"User: {role} is not authorized to perform: lambda:InvokeFunction on {function}",
            )
        return original(function, event)

    return call


def _if_role_may_log(original: Callable[..., Any]) -> Callable[..., Any]:
    def emit(func: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        config = func.get("config") or {}
        group = (config.get("LoggingConfig") or {}).get("LogGroup")
        group = group or f"/aws/lambda/{config.get('FunctionName', '')}"
        streams = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:log-stream:any"
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            if not role_may(config.get("Role", ""), action, streams):
                return None
        return original(func, *args, **kwargs)

    return emit


def _if_role_may_send(original: Callable[..., None]) -> Callable[..., None]:
    def route(target: str, function: str, event: Any, result: Any) -> None:
        stored = need(lambda_svc, "_functions").get(function) or {}
        role = (stored.get("config") or {}).get("Role", "")
        if ":sqs:" not in target or role_may(role, "sqs:SendMessage", target):
            original(target, function, event, result)

    return route
