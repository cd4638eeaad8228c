"""What the end-to-end tests do again and again: declare, release, wait, send."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
import yaml

from demo.cloud import ROOT, Cloud
from demo.traffic import Traffic, bodies
from halftone.domain.audit import AuditRecord
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan_schema import load_plan
from halftone.domain.rollout.rollout import Rollout
from halftone.packaging.folder import build_package
from halftone.ports import Ports
from halftone.service.releases.release import ReleaseRequest, release
from halftone.testing import MemoryWorkflow

MODELS = ROOT / "examples" / "breast-cancer" / "models"

PLAN = {
    "steps": [
        {"weight": 5, "min_time": "5s", "min_requests": 10},
        {"weight": 20, "min_time": "5s", "min_requests": 20},
        {"weight": 50, "min_time": "5s", "min_requests": 20},
        {"weight": 100},
    ],
    "bake": {"weight": 95, "min_time": "5s", "min_requests": 20},
    "margins": {"errors": {"tolerance": 15}, "late": {"tolerance": 30}},
}


def declare(cloud: Cloud, name: str, **changes: object) -> Path:
    """An endpoint of that name with the breast-cancer packages; answers its declaration."""
    copied = cloud.copy_example("breast-cancer", name)
    fields = yaml.safe_load(copied.read_text()) | {"name": name, "plan": PLAN} | changes
    copied.write_text(yaml.safe_dump(fields))
    return copied


def redeclare(cloud: Cloud, name: str, **changes: object) -> None:
    """Change fields of an endpoint's declaration, as its owner's editor would."""
    path = cloud.endpoints / name / "endpoint.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))


@dataclass(frozen=True)
class Stage:
    """A deployed stage and the engine's ports on it."""

    cloud: Cloud
    ports: Ports

    def release(
        self,
        endpoint: str,
        model: str,
        *,
        key: str = "",
        idle: bool = False,
        supersede: bool = False,
        **plan: object,
    ) -> Rollout:
        """Release one of the example's packages, as ``Custom::Release`` does.

        ``idle`` leaves the workflow unstarted and the endpoint's schedule off.
        """
        ports = self.ports
        if idle:
            ports = replace(ports, workflow=MemoryWorkflow())
            self._no_schedule(endpoint)
        built = build_package(MODELS / model)
        bucket = self.cloud.outputs()["ArtifactBucket"]
        boto3.client("s3").put_object(Bucket=bucket, Key="incoming.zip", Body=built.data)
        champion = self.state(endpoint).champion
        assert champion is not None
        rollout = release(
            ports,
            ReleaseRequest(
                endpoint=endpoint,
                bucket=bucket,
                object_key="incoming.zip",
                digest=built.digest,
                settings=champion.settings,
                plan=load_plan({**PLAN, **plan}),
                actor="test",
                key=key or f"{endpoint}-{model}-{time.time()}",
                supersede=supersede,
            ),
        )
        assert rollout is not None
        return rollout

    def stop_ticking(self, endpoint: str, rollout: str) -> None:
        """Take away the workflow and the schedule: what is left are the alarms."""
        self._no_schedule(endpoint)
        workflow = self.cloud.outputs()["Workflow"].replace(":stateMachine:", ":execution:")
        boto3.client("stepfunctions").stop_execution(executionArn=f"{workflow}:{rollout}")

    def _no_schedule(self, endpoint: str) -> None:
        events = boto3.client("events")
        for rule in events.list_rules()["Rules"]:
            targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            if any(json.loads(t.get("Input") or "{}").get("endpoint") == endpoint for t in targets):
                events.disable_rule(Name=rule["Name"])

    def state(self, endpoint: str) -> EndpointState:
        """The endpoint's state."""
        state = self.ports.store.load(endpoint)
        assert state is not None, f"{endpoint} was never released to"
        return state

    def rollout(self, endpoint: str) -> Rollout:
        """The endpoint's newest rollout."""
        rollout = self.state(endpoint).rollout
        assert rollout is not None
        return rollout

    def until(self, what: str, true: Callable[[], bool], seconds: float = 120) -> None:
        """Wait for something that only real parts can bring about."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
            time.sleep(0.2)

    def until_over(self, endpoint: str, seconds: float = 150) -> Rollout:
        """Wait for the end of the rollout under way."""
        self.until(f"end of {endpoint}", lambda: self.rollout(endpoint).phase.final, seconds)
        return self.rollout(endpoint)

    def until_phase(self, endpoint: str, *phases: Phase) -> Rollout:
        """Wait until the rollout under way is in one of ``phases``."""
        self.until(f"{endpoint} {phases}", lambda: self.rollout(endpoint).phase in phases)
        return self.rollout(endpoint)

    def traffic(self, endpoint: str, rate: float = 30, users: Sequence[str] = ("",)) -> Traffic:
        """Clients that send real records, in the name of ``users`` if there are any."""
        records = self.cloud.endpoints / endpoint / "traffic.jsonl"
        return Traffic(self.cloud.url(endpoint), bodies(records), rate=rate, users=users)

    def records(self, endpoint: str) -> list[AuditRecord]:
        """The endpoint's audit."""
        return list(self.ports.store.audit(endpoint))

    def ask(self, endpoint: str, body: bytes) -> tuple[int, dict[str, object]]:
        """One request; its status and its JSON answer."""
        request = urllib.request.Request(
            self.cloud.url(endpoint), body, {"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def set_handler(function: str, handler: str) -> None:
    """Change the handler of a deployed function, and wait until that is so."""
    functions = boto3.client("lambda")
    functions.update_function_configuration(FunctionName=function, Handler=handler)
    functions.get_waiter("function_updated_v2").wait(
        FunctionName=function, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
