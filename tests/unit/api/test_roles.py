"""Who may do what, as a matrix: every operation that there is, for every role, inside and outside
of the group that owns the endpoint.

What a route asks for is told by its guard, and what a role may by ``domain.access``. Here both
stand once more, written by hand, so that neither can change unseen.
"""

import pytest

from halftone.domain.access import EVERYWHERE, MAY, Action, Role, principal_of
from halftone.domain.audit import Author
from halftone.domain.errors import InvalidInput
from halftone.domain.rollout.phase import Phase
from halftone.service.endpoints.endpoints import set_owner
from halftone.service.groups import make_group
from tests.support.control import ACCOUNT, ANN, Api, on, role
from tests.support.engine import NAME, Endpoint
from tests.unit.api.test_routes import ROUTES, guard_of

TABLE = {
    Role.VIEWER: {"view", "read"},
    Role.RELEASER: {"view", "read", "operate", "release"},
    Role.APPROVER: {"view", "read", "operate", "approve"},
    Role.ADMIN: {"view", "read", "operate", "release", "approve", "administer"},
}
OPERATIONS = {
    "read_logs": "read",
    "download_logs": "read",
    "pause_rollout": "operate",
    "resume_rollout": "operate",
    "reject_rollout": "operate",
    "abort_rollout": "operate",
    "roll_back": "operate",
    "prepare_upload": "release",
    "make_release": "release",
    "approve_rollout": "approve",
    "promote_rollout": "approve",
    "set_owner": "administer",
    "make_group": "administer",
    "edit_group": "administer",
}
BODIES = {
    "approve_rollout": {"stage": 1},
    "prepare_upload": {"digest": "0" * 64},
    "make_release": {"digest": "0" * 64},
    "set_owner": {"owner": "clinic"},
}
TEAMS = ("clinic", "bank", EVERYWHERE)
LOOKS = [r for r in ROUTES if guard_of(r).action is Action.VIEW]
HELD = [r for r in ROUTES if r not in LOOKS and "{endpoint}" in r.path]


def member(team: str, of: Role) -> str:
    """Somebody who is that in that group."""
    return role(f"{team}-{of}")


@pytest.fixture
def endpoint(endpoint: Endpoint) -> Endpoint:
    """Owned by the clinic; every group has somebody of each role."""
    for team in TEAMS:
        members = {member(team, one): [one.value] for one in Role}
        make_group(endpoint.ports, team, description="", members=members, author=Author(ANN, ""))
    set_owner(
        endpoint.ports,
        NAME,
        owner="clinic",
        self_approval=None,
        author=Author(ANN, ""),
    )
    return endpoint


def test_the_table_of_roles_is_what_it_was():
    assert {one: {action.value for action in may} for one, may in MAY.items()} == TABLE


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_ask_for_what_they_did(name):
    (route,) = [route for route in ROUTES if route.name == name]
    assert guard_of(route).action == OPERATIONS[name]


@pytest.mark.parametrize("team", [*TEAMS, "nobody"])
@pytest.mark.parametrize("of", Role)
@pytest.mark.parametrize("route", HELD, ids=lambda route: route.name)
def test_the_matrix(api: Api, endpoint: Endpoint, route, of: Role, team: str):
    """A 403 before anything is read of the request, or none at all."""
    before = (endpoint.state, endpoint.world.groups.kept.copy())
    (method,) = route.methods
    path = route.path
    for name, value in {"endpoint": NAME, "rollout": endpoint.rollout.id}.items():
        path = path.replace(f"{{{name}}}", value)
    path = path.replace("{", "").replace("}", "")
    answer = api.ask(method, path, BODIES.get(route.name), by=member(team, of))
    allowed = team in ("clinic", EVERYWHERE) and guard_of(route).action.value in TABLE[of]
    assert (answer.status != 403) is allowed, answer
    if not allowed:
        assert answer.problem["type"] == "urn:halftone:problem:forbidden"
        assert (endpoint.state, endpoint.world.groups.kept) == before


def test_all_that_is_shown_is_for_all_but_the_lines_of_logs():
    hidden = {r.name for r in ROUTES if r.methods == {"GET"} and r not in LOOKS}
    assert hidden == {"read_logs", "download_logs"}


@pytest.mark.parametrize("route", LOOKS, ids=lambda r: r.name)
def test_everybody_whom_iam_lets_may_look(api: Api, route):
    """Mission D2: sight of production for those who may change nothing there."""
    path = route.path.replace("{endpoint}", NAME).replace("{group}", "clinic")
    assert api.get(path.replace("{", "").replace("}", ""), by=role("stranger")).status != 403


def test_what_nobody_owns_is_left_to_iam(api: Api, endpoint: Endpoint):
    edit = {"owner": None}
    assert (
        api.put(f"/v1/endpoints/{NAME}/owner", edit, by=member("clinic", Role.ADMIN)).status == 200
    )
    rollout = endpoint.rollout.id
    path = f"/v1/endpoints/{NAME}/rollouts/{rollout}/pause"
    assert api.post(path, by=role("stranger")).status == 200
    assert api.get(f"/v1/endpoints/{NAME}/logs", by=role("stranger")).status == 200


def test_an_endpoint_is_given_away_by_admins_of_both_groups(api: Api, endpoint: Endpoint):
    path, body = f"/v1/endpoints/{NAME}/owner", {"owner": "bank", "message": "moved"}
    assert api.put(path, body, by=member("clinic", Role.ADMIN)).status == 403
    assert api.put(path, body, by=member("bank", Role.ADMIN)).status == 403
    moved = api.put(path, body, by=member(EVERYWHERE, Role.ADMIN))
    assert (moved.status, moved.json["owner"]) == (200, "bank")
    record = endpoint.history[-1]
    assert (record.action, record.reason) == ("owner", "moved")
    assert record.numbers == {"owner": "bank", "self_approval": None, "was": "clinic"}
    assert api.put(path, body, by=member("clinic", Role.ADMIN)).status == 403


def test_an_endpoint_is_not_given_to_a_group_that_is_not_there(api: Api, endpoint: Endpoint):
    before = endpoint.state
    reply = api.put(
        f"/v1/endpoints/{NAME}/owner", {"owner": "nowhere"}, by=member(EVERYWHERE, Role.ADMIN)
    )
    assert (reply.status, reply.problem["value"]) == (404, "nowhere")
    assert endpoint.state == before


# Groups themselves ---------------------------------------------------------------------------


def test_groups_are_changed_by_their_admins_or_those_of_all(api: Api):
    members = {member("clinic", one): [one.value] for one in Role}
    body = {"members": members, "description": "radiology"}
    for team, one, status in [
        ("clinic", Role.ADMIN, 200),
        (EVERYWHERE, Role.ADMIN, 200),
        ("clinic", Role.RELEASER, 403),
        ("bank", Role.ADMIN, 403),
    ]:
        assert api.put("/v1/groups/clinic", body, by=member(team, one)).status == status


def test_groups_are_made_by_admins_of_all(api: Api):
    assert api.post("/v1/groups", {"name": "x"}, by=member("clinic", Role.ADMIN)).status == 403
    assert api.post("/v1/groups", {"name": "x"}, by=member(EVERYWHERE, Role.ADMIN)).status == 201


@pytest.mark.parametrize(("team", "status"), [("clinic", 403), (EVERYWHERE, 200)])
def test_the_quota_of_a_group_is_set_by_admins_of_all(api: Api, team: str, status: int):
    by = {"by": member(team, Role.ADMIN)}
    group = api.get("/v1/groups/clinic", **by).json
    assert group["use"]["endpoints"] == 1
    body = {"description": "", "members": group["members"], "quota": {"endpoints": 0}}
    assert api.ask("PUT", "/v1/groups/clinic", body, **by).status == status
    same = {**body, "quota": api.get("/v1/groups/clinic", **by).json["quota"]}
    assert api.ask("PUT", "/v1/groups/clinic", same, **by).status == 200


def test_somebody_must_be_the_first():
    api = on(Endpoint().world)
    reply = api.post("/v1/groups", {"name": EVERYWHERE, "members": {ANN: ["admin"]}})
    assert reply.status == 201
    assert api.post("/v1/groups", {"name": "clinic"}, by=role("stranger")).status == 403
    assert api.post("/v1/groups", {"name": "clinic"}).status == 201


# Two pairs of eyes ---------------------------------------------------------------------------


@pytest.fixture
def own(endpoint: Endpoint, api: Api) -> str:
    """A rollout that an admin of the clinic started, under the name of one session."""
    api.post(f"/v1/endpoints/{NAME}/rollouts/{endpoint.rollout.id}/abort", by=STARTER)
    body = {"digest": endpoint.offer("third"), "bucket": "assets", "key": "third.zip"}
    begun = api.post(f"/v1/endpoints/{NAME}/releases", body, by=STARTER)
    endpoint.tick_until(Phase.OBSERVING)
    return begun.headers["location"]


STARTER = role("clinic-admin", "at work")
SAME = role("clinic-admin", "at home")


@pytest.mark.parametrize(("word", "body"), [("promote", {}), ("approve", {"stage": 1})])
def test_who_started_a_rollout_does_not_approve_it(api: Api, own: str, word, body):
    for by in (STARTER, SAME):
        reply = api.post(f"{own}/{word}", body, by=by)
        assert reply.status == 403
        assert "started rollout" in reply.problem["detail"]
    assert api.post(f"{own}/{word}", body, by=member("clinic", Role.APPROVER)).status != 403


def test_an_endpoint_may_allow_it(api: Api, own: str):
    api.put(f"/v1/endpoints/{NAME}/owner", {"owner": "clinic", "self_approval": True}, by=STARTER)
    assert api.post(f"{own}/promote", by=STARTER).status == 202


def test_a_stage_may_allow_it_and_an_endpoint_forbid_it_there(endpoint: Endpoint, own: str):
    api = Api(endpoint.ports, self_approval=True)
    forbidding = {"owner": "clinic", "self_approval": False}
    api.put(f"/v1/endpoints/{NAME}/owner", forbidding, by=STARTER)
    assert api.post(f"{own}/promote", by=STARTER).status == 403
    api.put(f"/v1/endpoints/{NAME}/owner", {"owner": "clinic"}, by=STARTER)
    assert api.post(f"{own}/promote", by=STARTER).status == 202


def test_who_started_it_may_still_end_it(api: Api, own: str):
    assert api.post(f"{own}/abort", by=STARTER).status == 200


# Principals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        (role("Deploy", "ci-1234"), f"arn:aws:iam::{ACCOUNT}:role/Deploy"),
        (f"arn:aws:iam::{ACCOUNT}:role/teams/ml/Deploy", f"arn:aws:iam::{ACCOUNT}:role/Deploy"),
        (f"arn:aws:iam::{ACCOUNT}:user/ann", f"arn:aws:iam::{ACCOUNT}:user/ann"),
        (f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:root"),
        (
            f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/Deploy/x/y",
            f"arn:aws-cn:iam::{ACCOUNT}:role/Deploy",
        ),
        (
            f"arn:aws:sts::{ACCOUNT}:federated-user/whoever",
            f"arn:aws:sts::{ACCOUNT}:federated-user",
        ),
    ],
)
def test_a_session_s_name_is_no_part_of_a_principal(arn, principal):
    assert principal_of(arn) == principal


@pytest.mark.parametrize(
    "arn",
    ["", "ann", "arn:aws:iam::1:user/ann", f"arn:aws:iam::{ACCOUNT}:policy/x", "cloudformation/x"],
)
def test_what_is_no_principal_is_refused(arn):
    with pytest.raises(InvalidInput):
        principal_of(arn)


@pytest.mark.parametrize("arn", ["", "arn:aws:iam::1:user/ann"])
def test_a_request_without_a_principal_is_a_403(api: Api, arn):
    assert api.get("/v1/endpoints", by=arn).status == 403


def test_a_name_that_its_bearer_chose_is_no_member(api: Api):
    """Any user may make a federated user of any name."""
    eve = f"arn:aws:sts::{ACCOUNT}:federated-user/eve"
    body = {"name": "ops", "members": {eve: ["admin"]}}
    reply = api.post("/v1/groups", body, by=member(EVERYWHERE, Role.ADMIN))
    assert (reply.status, reply.problem["field"]) == (400, f"members.{eve}")
    assert api.get("/v1/groups/ops").status == 404
    assert api.get("/v1/endpoints", by=eve).status == 200


def test_a_member_is_known_by_role_in_any_session_and_path(api: Api):
    admin = member(EVERYWHERE, Role.ADMIN)
    members = {
        f"arn:aws:iam::{ACCOUNT}:role/teams/Deploy": ["releaser"],
        role("Deploy", "ci-1"): ["approver"],
    }
    reply = api.post("/v1/groups", {"name": "ops", "members": members}, by=admin)
    assert reply.json["members"] == {
        f"arn:aws:iam::{ACCOUNT}:role/Deploy": ["approver", "releaser"]
    }
    me = api.get("/v1/me", by=role("Deploy", "ci-2")).json
    assert me["roles"] == {"ops": ["approver", "releaser"]}
    assert me["principal"] == f"arn:aws:iam::{ACCOUNT}:role/Deploy"


def test_actions_are_all_in_the_table():
    assert {action for may in TABLE.values() for action in may} == {*map(str, Action)}
