"""A model package, and the deployment that makes it runnable on an endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from halftone.domain.audit import canonical_json
from halftone.domain.model.environment import Environment
from halftone.domain.model.samples import AnySample
from halftone.domain.model.schema import Field, fields_as_given


@dataclass(frozen=True)
class PackageRef:
    """A model package by its name and the SHA-256 (64 hex digits) of its zip."""

    name: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name}@{self.digest[:12]}"


SOURCE_NAME = "model.yaml"
"""The manifest in a package's folder, as its author writes it."""

MANIFEST_NAME = "model.json"
"""The manifest in a built package."""

PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".dill")
"""How files are named that unpickling turns into whatever code they carry."""

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform")
"""What a scikit-learn model can be asked for."""


class Flavor(StrEnum):
    """How a package's model is loaded and called.

    ``python``: the entry is a module with ``run`` and, if it likes, ``init()``.
    ``onnx``: the entry is an ONNX file, run by onnxruntime.
    ``sklearn``: the entry is a scikit-learn model in a skops file.
    ``asgi``: the entry is a module with an ASGI application named ``app``.

    ``lightgbm``: the entry is a model that ``Booster.save_model`` wrote as text.
    ``xgboost``: the entry is a model that ``Booster.save_model`` wrote as UBJ or JSON.
    ``pyfunc``: the entry is the ``MLmodel`` of a model that MLflow loads as ``python_function``.

    A folder with ``flavor: mlflow`` is built into one of these.
    """

    PYTHON = "python"
    ONNX = "onnx"
    SKLEARN = "sklearn"
    ASGI = "asgi"
    LIGHTGBM = "lightgbm"
    XGBOOST = "xgboost"
    PYFUNC = "pyfunc"


BOOSTER_METHODS = ("predict", "label", "raw_score")
"""What a booster can be asked for: its response, the class of the largest, and sums of leaves."""

METHODS_OF: Mapping[Flavor, tuple[str, ...]] = {
    Flavor.SKLEARN: METHODS,
    Flavor.LIGHTGBM: BOOSTER_METHODS,
    Flavor.XGBOOST: BOOSTER_METHODS,
}
"""What the models of a flavor can be asked for, by output field (``methods``)."""


class Interface(StrEnum):
    """What a package's model takes and gives.

    ``records``: lists of records that fit a signature. ``json``: any JSON value.
    ``http``: whole requests and answers.
    """

    RECORDS = "records"
    JSON = "json"
    HTTP = "http"


@dataclass(frozen=True)
class Manifest:
    """What a package says of itself. ``entry`` and ``preprocess`` are paths within the package.

    ``inputs`` and ``outputs`` are empty where there is no signature. ``headers`` are those that
    the model may see, in lower case. ``trusted`` are the types that a skops file may hold beside
    skops' own; ``methods`` maps output fields to the model's methods. ``allow_pickle`` says that
    the entry is a pickle, which runs whatever code it carries when it is loaded. ``params`` are the
    values that an MLflow model is given for its parameters. ``requirements`` is a file of the
    package's folder that names packages, and ``environment`` what was built of it.
    """

    name: str
    flavor: Flavor
    entry: str
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    samples: tuple[AnySample, ...]
    description: str = ""
    preprocess: str | None = None
    headers: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    methods: Mapping[str, str] = field(default_factory=dict)
    allow_pickle: bool = False
    requirements: str | None = None
    environment: Environment | None = None
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the package must hold."""
        return (self.entry,) if self.preprocess is None else (self.entry, self.preprocess)

    @property
    def interface(self) -> Interface:
        """What the model takes and gives."""
        if self.flavor is Flavor.ASGI:
            return Interface.HTTP
        return Interface.RECORDS if self.inputs else Interface.JSON

    def as_given(self) -> dict[str, object]:
        """The manifest in the form that ``load_manifest`` reads, without what is at its default.

        What was there from the beginning always stands there: the digests of packages hang on it.
        """
        document: dict[str, object] = {
            "name": self.name,
            "description": self.description,
            "flavor": str(self.flavor),
            "entry": self.entry,
            "samples": [sample.as_given() for sample in self.samples],
        }
        optional = {
            "preprocess": self.preprocess,
            "inputs": fields_as_given(self.inputs),
            "outputs": fields_as_given(self.outputs),
            "headers": list(self.headers),
            "trusted": list(self.trusted),
            "methods": dict(self.methods),
            "allow_pickle": self.allow_pickle,
            "requirements": self.requirements,
            "params": dict(self.params),
            "environment": self.environment.as_given() if self.environment else None,
        }
        return {**document, **{name: value for name, value in optional.items() if value}}

    def to_json(self) -> bytes:
        """The one JSON text of this manifest; ``manifest_from_json`` reads it back."""
        return canonical_json(self.as_given())
