"""What is kept of deploys comes back as it was written, and states from before it still load."""

import json
from dataclasses import replace

from halftone.adapters.aws.dynamodb.store import DynamoStore
from halftone.domain.rollout.deploys import Claim, Declaration, DeployRecord, Deploys, FieldChange
from tests.contract.store.changes import create_table, next_change

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/fraud/1b2c"
RECORD = DeployRecord(
    "r-1/deploy",
    "before",
    "after",
    {
        "access": FieldChange("private", "public"),
        "capture": FieldChange({"share": 10, "redact": []}, {"share": 12.5, "redact": ["ssn"]}),
        "rules": FieldChange([], [{"match": {"headers": {"a": ["b"]}}, "to": "2"}]),
        "group": FieldChange(None, "clinic"),
    },
    ("d0", "s0"),
    "fraud-r1",
    "1",
    Claim(STACK, "Former", "release-of-fraud", "r-0/deploy"),
    adopts=True,
)
DEPLOYS = Deploys(
    Claim(STACK, "Release", "release-of-fraud-1f", "r-1/deploy"),
    Declaration({"access": "public"}, {"tags": {"a": "b"}}, "clinic", "d1", "s1"),
    "after",
    (RECORD,),
)


def test_deploys_are_read_back_as_they_were_written(store):
    change = next_change(None)
    store.commit(replace(change, after=replace(change.after, deploys=DEPLOYS)))
    state = store.load("fraud")
    assert state.deploys == DEPLOYS
    assert state.deploys.declared.fingerprint == DEPLOYS.declared.fingerprint
    assert state.deploys.after("before") == (RECORD,)


def test_a_state_from_before_there_were_deploys_has_none(dynamodb):
    table = create_table(dynamodb)
    store = DynamoStore(dynamodb, table)
    store.commit(next_change(None))
    key = {"pk": {"S": "ENDPOINT#fraud"}, "sk": {"S": "STATE"}}
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    body = json.loads(item["body"]["S"])
    del body["deploys"]
    dynamodb.put_item(TableName=table, Item={**item, "body": {"S": json.dumps(body)}})
    state = store.load("fraud")
    assert state is not None
    assert state.deploys == Deploys()
    store.commit(next_change(state))
