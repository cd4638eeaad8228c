"""``AWS::CloudWatch::CompositeAlarm`` in CloudFormation templates.

AWS: Ref gives the alarm's name, GetAtt its Arn; AlarmName is replaced, every other property is
updated without interruption.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-compositealarm.html

ministack has the alarms in its CloudWatch API and no resource type for them.
"""

from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from halftone_local.seams import need

TYPE = "AWS::CloudWatch::CompositeAlarm"
Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, str]]


def apply() -> None:
    need(cloudwatch, "_put_composite_alarm")
    need(cloudwatch, "_delete_alarms")
    need(provisioners, "_RESOURCE_HANDLERS")[TYPE] = {
        "create": _create,
        "update": _update,
        "update_with_logical_id": True,
        "delete": _delete,
    }


def _create(logical_id: str, properties: Properties, stack: str) -> Provisioned:
    return _put(_name(logical_id, properties, stack), properties)


def _update(
    name: str, old: Properties, new: Properties, stack: str, logical_id: str
) -> Provisioned:
    new_name = _name(logical_id, new, stack)
    provisioned = _put(new_name, new)
    if new_name != name:
        need(provisioners, "_delete_predecessor")(_delete, name, old)
    return provisioned


def _delete(name: str, _properties: Properties) -> None:
    _accepted(need(cloudwatch, "_delete_alarms")({}, {"AlarmNames": [name]}, False, True))


def _put(name: str, properties: Properties) -> Provisioned:
    enabled = str(properties.get("ActionsEnabled", True)).lower() == "true"
    request = properties | {"AlarmName": name, "ActionsEnabled": enabled}
    _accepted(need(cloudwatch, "_put_composite_alarm")({}, request, False, True))
    return name, {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"}


def _name(logical_id: str, properties: Properties, stack: str) -> str:
    generate = need(provisioners, "_physical_name")
    return str(properties.get("AlarmName") or generate(stack, logical_id, max_len=255))


def _accepted(answer: tuple[int, Any, bytes]) -> None:
    if answer[0] >= 400:
        raise ValueError(f"{TYPE}: {answer[2].decode()}")
