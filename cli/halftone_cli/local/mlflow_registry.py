"""Models of an MLflow registry: found by their URI, downloaded, and told what became of them.

MLflow is imported when it is needed; it says by MLFLOW_TRACKING_URI where its registry is.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from halftone.domain.errors import InvalidInput, NotFound, Unavailable

_URI = re.compile(r"models:/([^/@]+)(?:/([1-9][0-9]*)|@([^/@]+))|runs:/([^/]+)/(.+)")
_KEY = re.compile(r"[^A-Za-z0-9_./-]")
_EXPECTED = "models:/NAME@ALIAS, models:/NAME/VERSION or runs:/RUN/PATH"


@dataclass(frozen=True)
class SavedModel:
    """A model as MLflow knows it. ``version`` is None where it is a run's and not registered."""

    uri: str
    name: str
    version: str | None
    run: str | None
    parameters: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""

    @property
    def details(self) -> dict[str, object]:
        """What Halftone's registry says of the version."""
        tags = dict(self.tags)
        metadata: dict[str, object] = {"mlflow_uri": self.uri}
        if self.version is not None:
            metadata |= {"mlflow_model": self.name, "mlflow_version": self.version}
        if self.run is not None:
            metadata["mlflow_run"] = self.run
        return {
            "description": self.description[:1000],
            "tags": tags,
            "parameters": dict(self.parameters),
            "metrics": dict(self.metrics),
            "metadata": metadata,
        }


def find(uri: str) -> SavedModel:
    """The model at ``uri``, with what its run logged.

    Raises:
        InvalidInput: if it is no URI of a model.
        NotFound: if MLflow has no such model, version, alias or run.
        Unavailable: if MLflow is not installed, or its server does not answer.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise InvalidInput("URI", uri, _EXPECTED)
    name, version, alias, run, path = match.groups()
    client = _client()
    if run is not None:
        found = _asked(uri, client.get_run, run)
        return _with_run(SavedModel(uri, path.rpartition("/")[2], None, run), found)
    registered = (
        _asked(uri, client.get_model_version_by_alias, name, alias)
        if alias
        else _asked(uri, client.get_model_version, name, version)
    )
    model = SavedModel(
        uri,
        name,
        str(registered.version),
        registered.run_id or None,
        tags=_tags(registered.tags),
        description=registered.description or "",
    )
    return _with_run(model, _asked(uri, client.get_run, model.run) if model.run else None)


def download(model: SavedModel, folder: Path, *, name: str, allow_pickle: bool) -> Path:
    """Make the folder of a package of the model, below ``folder``.

    Raises:
        NotFound, Unavailable: as ``find`` says.
    """
    import mlflow.artifacts  # noqa: PLC0415

    uri = f"models:/{model.name}/{model.version}" if model.version else model.uri
    package = folder / name
    package.mkdir()
    saved = _asked(uri, mlflow.artifacts.download_artifacts, uri, dst_path=str(package))
    target = Path(saved)
    if target.resolve() == package.resolve():
        entry = "MLmodel"
    else:
        entry = f"{target.resolve().relative_to(package.resolve()).as_posix()}/MLmodel"
    manifest: dict[str, object] = {"name": name, "flavor": "mlflow", "entry": entry}
    if allow_pickle:
        manifest["allow_pickle"] = True
    (package / "model.yaml").write_text(json.dumps(manifest), encoding="utf-8")
    return package


def write_back(model: SavedModel, *, endpoint: str, phase: str, promoted: bool) -> None:
    """Tag the model's version with how its rollout ended, and point ``champion`` at it if it won.

    Raises:
        NotFound, Unavailable: as ``find`` says.
    """
    if model.version is None:
        return
    client = _client()
    tag = f"halftone.{endpoint}"
    _asked(model.uri, client.set_model_version_tag, model.name, model.version, tag, phase)
    if promoted:
        _asked(
            model.uri,
            client.set_registered_model_alias,
            model.name,
            "champion",
            model.version,
        )


def _client() -> Any:
    try:
        from mlflow import MlflowClient  # noqa: PLC0415
    except ImportError:
        raise Unavailable("MLflow is not installed: pip install mlflow-skinny") from None
    return MlflowClient()


def _asked(uri: str, function: Any, *arguments: Any, **options: Any) -> Any:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        return function(*arguments, **options)
    except MlflowException as error:
        why = str(error).splitlines()[0][:300]
        code = getattr(error, "error_code", "")
        if code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise NotFound("model", uri, why) from None
        raise Unavailable(f"MLflow: {why}") from None
    except OSError as error:
        raise NotFound("model", uri, str(error)[:300]) from None


def _with_run(model: SavedModel, run: Any) -> SavedModel:
    if run is None:
        return model
    data = run.data
    return SavedModel(
        model.uri,
        model.name,
        model.version,
        model.run,
        parameters={_key(name): value[:500] for name, value in data.params.items()},
        metrics={_key(n): float(v) for n, v in data.metrics.items() if v == v},  # noqa: PLR0124
        tags={**_tags(data.tags), **model.tags},
        description=model.description,
    )


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Those that people set: MLflow's own say how and where the run was made."""
    return {_key(n): v[:200] for n, v in tags.items() if not n.startswith(("mlflow.", "halftone."))}


def _key(name: str) -> str:
    return _KEY.sub("_", name)[:64]
