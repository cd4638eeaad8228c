"""What a build adds to pyproject.toml: files from outside the packages, and the project's URLs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

ASSETS = {
    "functions": "halftone_cdk/assets/functions",
    "requirements": "halftone_cdk/assets/requirements",
    "docs/openapi.json": "halftone_cdk/assets/openapi.json",
    "package-lock.json": "halftone_cdk/assets/package-lock.json",
    "requirements/local.txt": "halftone_local/local.txt",
}
"""What the packages read beside their code: the path in the checkout, and in a wheel."""

CONSOLE, CONSOLE_SOURCES = "build/console", "build/console.sources"
CONSOLE_IN_WHEEL = "halftone_cli/assets/console"
"""The console's bundle, and the digest of what it was built from (tools/build_console.py)."""


class Assets(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the assets to a wheel, and the console to both. An editable build has the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the assets to what the wheel includes."""
        if version != "standard":
            return
        included = build_data["force_include"]
        # A source distribution brings the bundle along, so that npm is needed in a checkout alone.
        builder = Path(self.root) / "tools" / "build_console.py"
        subprocess.run([sys.executable, str(builder)], check=True)
        if self.target_name == "sdist":
            included.update({CONSOLE: CONSOLE, CONSOLE_SOURCES: CONSOLE_SOURCES})
        else:
            included.update(ASSETS | {CONSOLE: CONSOLE_IN_WHEEL})


class Urls(MetadataHookInterface):
    """Fills ``project.urls`` with the pages of the repository that builds.

    The checkout names no host. A release sets HALFTONE_REPOSITORY to the address of its repository;
    a build without it has no URLs.
    """

    def update(self, metadata: dict[str, object]) -> None:
        """Add the pages of the repository to ``metadata``."""
        repository = os.environ.get("HALFTONE_REPOSITORY", "").rstrip("/")
        pages = {
            "Source": repository,
            "Issues": f"{repository}/issues",
            "Changelog": f"{repository}/blob/main/CHANGELOG.md",
            "Documentation": f"{repository}/tree/main/docs",
        }
        metadata["urls"] = pages if repository else {}
