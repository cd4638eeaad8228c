"""People of the console: the person is the principal, and none of another pool is anybody."""

import json
from typing import Any

import pytest

from halftone.api.gateway import ConsolePool
from halftone.domain.audit import Author
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan
from halftone.service.groups import make_group
from tests.support.control import ACCOUNT, Api, Reply, event, role
from tests.support.engine import NAME, Endpoint

POOL = ConsolePool("eu-central-1_Stage", "eu-central-1:0000-stage")
PROVIDER = f"cognito-idp.eu-central-1.amazonaws.com/{POOL.users}"
RELEASER, APPROVER = "halftone-dev-console-releaser", "halftone-dev-console-approver"


def person(name: str) -> str:
    """The ARN of a person of the stage's pool."""
    return f"arn:aws:cognito-idp:eu-central-1:{ACCOUNT}:userpool/{POOL.users}/{name}"


def identity(name: str, **changes: Any) -> dict[str, Any]:
    """What API Gateway says of a person who signed in at the stage's own pool."""
    known = {
        "amr": ["authenticated", PROVIDER, f"{PROVIDER}:CognitoSignIn:{name}"],
        "identityId": "eu-central-1:somebody",
        "identityPoolId": POOL.identities,
    }
    return {**known, **changes}


class Console:
    """The API behind a console: each request by a person in a role."""

    def __init__(self, endpoint: Endpoint, pool: ConsolePool | None = POOL) -> None:
        self.api = Api(endpoint.world.ports(), console=pool)
        self.asked = 0

    def ask(
        self,
        method: str,
        path: str,
        cognito: dict[str, Any] | None,
        *,
        in_role: str = RELEASER,
        body: object = None,
    ) -> Reply:
        self.asked += 1
        headers = {"content-type": "application/json", "host": "c"}
        headers |= {"idempotency-key": f"console-{self.asked}"} if method == "POST" else {}
        raw = json.dumps(body or {}) if method == "POST" else None
        by = role(in_role, "CognitoIdentityCredentials")
        given = event(method, path, headers, raw, by)
        given["requestContext"]["authorizer"]["iam"]["cognitoIdentity"] = cognito
        return self.api.send(given)


@pytest.fixture
def waiting() -> Endpoint:
    """Ann's release waits for approval."""
    made = Endpoint()
    made.serve("first")
    plan = Plan((), approve_all=True, bakes=False)
    made.release("second", plan=plan, actor=person("ann"))
    made.tick_until(Phase.AWAITING_APPROVAL)
    return made


def approve(console: Console, endpoint: Endpoint, name: str, in_role: str) -> Reply:
    assert endpoint.rollout is not None
    path = f"/v1/endpoints/{NAME}/rollouts/{endpoint.rollout.id}/approve"
    return console.ask("POST", path, identity(name), in_role=in_role, body={"stage": 0})


def test_a_person_is_one_principal_in_whatever_role(waiting):
    console = Console(waiting)
    for in_role in (RELEASER, APPROVER):
        me = console.ask("GET", "/v1/me", identity("ann"), in_role=in_role).json
        assert (me["arn"], me["principal"]) == (person("ann"), person("ann"))


def test_two_people_in_one_role_can_approve_for_each_other(waiting):
    console = Console(waiting)
    assert approve(console, waiting, "ben", APPROVER).status == 202
    assert waiting.history[-1].actor == person("ben")


def test_one_person_in_two_roles_can_not(waiting):
    console = Console(waiting)
    for in_role in (RELEASER, APPROVER):
        assert approve(console, waiting, "ann", in_role).problem["type"].endswith("forbidden")
    assert waiting.phase is Phase.AWAITING_APPROVAL


def test_a_person_is_a_member_of_groups(waiting):
    members = {person("ben"): ["approver"]}
    make_group(waiting.ports, "team", description="", members=members, author=Author("x"))
    console = Console(waiting)
    roles = console.ask("GET", "/v1/me", identity("ben")).json["roles"]
    assert roles == {"team": ["approver"]}


FOREIGN = {
    "another identity pool": identity("ben", identityPoolId="eu-central-1:0000-other"),
    "no identity pool": identity("ben", identityPoolId=None),
    "another user pool": identity(
        "ben",
        amr=["authenticated", f"{PROVIDER}2", f"{PROVIDER}2:CognitoSignIn:ben"],
    ),
    "a pool whose id ends likewise": identity(
        "ben", amr=["authenticated", "x", f"evil-{PROVIDER}x/y:CognitoSignIn:ben"]
    ),
    "a guest": identity("ben", amr=["unauthenticated"]),
    "no method": identity("ben", amr=None),
    "no identity": None,
    "no subject": identity("ben", amr=[f"{PROVIDER}:CognitoSignIn:"]),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_nobody_of_another_pool_is_anybody(waiting, kind):
    refused = Console(waiting).ask("GET", "/v1/endpoints", FOREIGN[kind])
    assert (refused.status, refused.problem["type"].rpartition(":")[2]) == (403, "forbidden")


@pytest.mark.parametrize("pool", [None, ConsolePool(), ConsolePool(users=POOL.users)])
def test_a_stage_without_a_console_knows_no_pool(waiting, pool):
    assert Console(waiting, pool).ask("GET", "/v1/endpoints", identity("ben")).status == 403
