"""Where things stand in this checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "layers" / "core" / "python"
REQUIREMENTS = ROOT / "requirements"
FUNCTIONS = ROOT / "functions"
BUILD = ROOT / "build"
PYODIDE = ROOT / "node_modules" / "pyodide" / "pyodide.mjs"
OPENAPI = ROOT / "docs" / "openapi.json"
