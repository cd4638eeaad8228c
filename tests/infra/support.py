"""Templates as the tests read them: synthesised from the real examples, with the real layers."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App

from halftone.domain.names import platform_stack_name
from halftone_cdk.application import add_stage
from halftone_cdk.settings import Settings, stage_settings
from tests.support.checkout import ROOT

CDK_JSON = json.loads((ROOT / "cdk.json").read_text())
FLAGS = {name: flag for name, flag in CDK_JSON["context"].items() if name.startswith("@")}
EXAMPLES = ROOT / "examples"


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    stack: str
    id: str
    type: str
    properties: Mapping[str, Any]
    definition: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.stack}/{self.id} ({self.type})"


@dataclass(frozen=True)
class Synthesised:
    """The templates of a stage by the names of their stacks, and the assets they refer to."""

    settings: Settings
    templates: Mapping[str, Mapping[str, Any]]
    assets: Mapping[str, Path]

    def resources(self, *types: str) -> Iterator[Resource]:
        """All resources of the given types, or all."""
        for stack, template in self.templates.items():
            for name, definition in template["Resources"].items():
                if not types or definition["Type"] in types:
                    properties = definition.get("Properties", {})
                    yield Resource(stack, name, definition["Type"], properties, definition)

    def one(self, kind: str, **wanted: object) -> Resource:
        """The only resource of that type with those properties."""
        found = [
            resource
            for resource in self.resources(kind)
            if all(resource.properties.get(name) == value for name, value in wanted.items())
        ]
        assert len(found) == 1, [str(resource) for resource in found]
        return found[0]

    @property
    def platform(self) -> Mapping[str, Any]:
        return self.templates[platform_stack_name(self.settings.name)]


def new_app(folder: Path) -> App:
    """An app that writes to ``folder`` and leaves the assets where they are."""
    return App(outdir=str(folder), context={**FLAGS, "aws:cdk:disable-asset-staging": True})


def synthesise(folder: Path, stage: str) -> Synthesised:
    """The examples on a stage of cdk.json."""
    settings = stage_settings(stage, CDK_JSON["context"]["stages"])
    app = new_app(folder)
    add_stage(app, settings, EXAMPLES)
    return written(app, settings)


def written(app: App, settings: Settings) -> Synthesised:
    """What the app's stacks become."""
    assembly = app.synth()
    assets: dict[str, Path] = {}
    for manifest in Path(assembly.directory).glob("*.assets.json"):
        for asset in json.loads(manifest.read_text())["files"].values():
            for destination in asset["destinations"].values():
                source = Path(asset["source"]["path"])
                assets[destination["objectKey"]] = Path(assembly.directory) / source
    return Synthesised(
        settings, {stack.stack_name: stack.template for stack in assembly.stacks}, assets
    )


def statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements of a policy, with actions and resources as lists."""
    return [
        {
            **statement,
            "Action": listed(statement["Action"]),
            "Resource": listed(statement["Resource"]),
        }
        for statement in document["Statement"]
    ]


def listed(value: object) -> list[Any]:
    """``value`` as CloudFormation means it where one may stand for a list of one."""
    return value if isinstance(value, list) else [value]


def text(value: object) -> str:
    """An intrinsic or a literal as one text, to look for parts of names in it."""
    return value if isinstance(value, str) else json.dumps(value)
