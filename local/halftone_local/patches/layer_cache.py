"""A layer is unpacked once, not at each cold start, and yields to the function's own files.

AWS: layers are mounted below /opt, not copied; a Python function finds its own folder first, then
the layers' ``python`` folders, a later layer before an earlier one. "Working with layers for Python
Lambda functions", https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html, and "Managing
Lambda dependencies with layers", https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html

ministack unzips all layers for each worker, up to 250 MB, and puts them before the function's
folder. Here the unpacked layer is kept in a directory named by its content; it stays between runs,
with the bytecode that Python writes into it, and is removed after a week without use.
"""

import hashlib
import io
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from halftone_local.seams import need, wrap

UNUSED_SECONDS = 7 * 86400

_unpacked: dict[str, Path] = {}
"""The directory of a layer version by its ARN, which always means the same content."""


def apply() -> None:
    cache = Path(os.environ["HALFTONE_LOCAL_LAYERS"])
    cache.mkdir(parents=True, exist_ok=True)
    for old in cache.iterdir():
        if time.time() - old.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    need(lambda_svc, "_resolve_layer_zip")
    wrap(need(lambda_runtime, "Worker"), "_spawn", lambda original: _with_layers(original, cache))


def _with_layers(original: Callable[[Any], None], cache: Path) -> Callable[[Any], None]:
    def spawn(worker: Any) -> None:
        config = worker.config
        layers = config.get("Layers") or []
        if not layers or not config.get("Runtime", "").startswith("python"):
            original(worker)
            return
        folders = [_directory(layer, cache) for layer in layers]
        variables = dict((config.get("Environment") or {}).get("Variables") or {})
        variables["PYTHONPATH"] = _python_path(folders, variables.get("PYTHONPATH"))
        worker.config = {**config, "Layers": [], "Environment": {"Variables": variables}}
        try:
            original(worker)
        finally:
            worker.config = config

    return spawn


def _python_path(folders: Sequence[Path], own: str | None) -> str:
    path = [own] if own else []
    for folder in reversed(folders):
        path += [str(p) for p in sorted((folder / "python/lib").glob("python3*/site-packages"))]
        path.append(str(folder / "python"))
    return os.pathsep.join(path)


def _directory(layer: Mapping[str, Any], cache: Path) -> Path:
    arn = layer["Arn"]
    unpacked = _unpacked.get(arn)
    if unpacked is None:
        content = need(lambda_svc, "_resolve_layer_zip")(layer)
        if content is None:
            raise RuntimeError(f"layer {arn} has no content")
        unpacked = _unpacked[arn] = unpack(content, cache)
    os.utime(unpacked)
    return unpacked


def unpack(content: bytes, cache: Path) -> Path:
    """The directory with the unpacked zip; complete or absent, also beside other processes."""
    target = cache / hashlib.sha256(content).hexdigest()
    if not target.exists():
        draft = Path(tempfile.mkdtemp(dir=cache, prefix="draft-"))
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                archive.extractall(draft)
            draft.rename(target)
        except OSError:
            if not target.exists():  # otherwise another process was first, with the same content
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return target
