"""Packages made of a few lines of Python, installed and served by the real server."""

import json
import textwrap
from dataclasses import dataclass, field

import pytest
import yaml

from halftone.domain.names import package_key
from halftone.packaging.folder import build_package
from halftone.serving.app import start
from halftone.serving.inference.artifacts import FolderArtifacts
from halftone.serving.settings import Settings

DOUBLES = """
def run(instances):
    return [{"y": 2 * record["x"]} for record in instances]
"""
MANIFEST = {
    "name": "doubler",
    "description": "Twice the number.",
    "flavor": "python",
    "entry": "predict.py",
    "inputs": [{"name": "x", "type": "float64", "minimum": -1e6, "maximum": 1e6}],
    "outputs": [{"name": "y", "type": "float64"}],
    "samples": [{"instances": [{"x": 1.5}], "predictions": [{"y": 3}]}],
}


@dataclass(frozen=True)
class Context:
    """What Lambda hands in beside the event."""

    aws_request_id: str = "request-1"
    function_version: str = "3"


@dataclass
class Served:
    """A server under test, with everything that it wrote to the log."""

    server: object
    package: object
    log: list = field(default_factory=list)

    def send(self, event):
        return self.server(event, Context())

    def post(self, body, *, path="/endpoints/double/invocations", **more):
        text = body if isinstance(body, str) else json.dumps(body)
        http = {"http": {"method": "POST"}}
        event = {"rawPath": path, "requestContext": http, "body": text, **more}
        return self.send(event)

    @property
    def metrics(self):
        """The metric lines, without their directive."""
        lines = [json.loads(line) for line in self.log]
        return [
            {name: value for name, value in line.items() if name != "_aws"}
            for line in lines
            if "_aws" in line
        ]

    @property
    def faults(self):
        return [json.loads(line) for line in self.log if "_aws" not in line]


@pytest.fixture
def serve(tmp_path):
    """serve(code, manifest, **settings): a package with that ``predict.py``, served."""

    def served(code=DOUBLES, manifest=None, files=None, **settings):
        folder = tmp_path / "source"
        folder.mkdir()
        (folder / "predict.py").write_text(textwrap.dedent(code))
        for name, content in (files or {}).items():
            data = textwrap.dedent(content).encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)
        fields = {**MANIFEST, **(manifest or {})}
        fields = {name: value for name, value in fields.items() if value is not None}
        (folder / "model.yaml").write_text(yaml.safe_dump(fields))
        package = build_package(folder)
        stored = tmp_path / package_key(package.digest)
        stored.parent.mkdir()
        stored.write_bytes(package.data)
        log = []
        given = {
            "endpoint": "double",
            "artifacts": "bucket",
            "late_after_ms": 1000,
            "max_body": 100_000,
            "deployment": "rollout-1",
            "package": package.digest,
            **settings,
        }
        artifacts = FolderArtifacts(tmp_path)
        server = start(Settings(**given), artifacts, root=tmp_path / "root", write=log.append)
        return Served(server, package, log)

    return served
