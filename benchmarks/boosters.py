"""What the model server costs around lightgbm and xgboost: its p50 beside a bare predict's.

    python -m benchmarks.boosters PYTHON

PYTHON has lightgbm, xgboost, numpy, msgspec and boto3, such as that of the training environment.
Both are asked the same single record in turns, in one process. Bare is the library's own predict on
the record as an array of one row. Prints both medians in microseconds, and their ratio.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from benchmarks.processor import processor
from halftone.domain.model.manifest import Flavor, Manifest
from halftone.domain.model.samples import Sample
from halftone.domain.model.schema import Field, FieldType

ROUNDS = 3000
TREES, LEAVES, COLUMNS = 500, 31, 30


def main(python: str) -> None:
    """Run the measurement by ``python``, and print what it found."""
    root = Path(__file__).resolve().parents[1]
    path = f"{root / 'layers' / 'core' / 'python'}:{root}"
    subprocess.run(  # noqa: S603
        [python, "-m", "benchmarks.boosters", "--inside"],
        env={"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        check=True,
    )


def inside() -> None:
    """Measure both libraries."""
    import numpy as np  # noqa: PLC0415 - another Python's

    random = np.random.default_rng(7)
    rows = random.normal(size=(4000, COLUMNS))
    labels = (rows[:, 0] + rows[:, 1] * rows[:, 2] > 0).astype(int)
    print(f"{processor()}; {TREES} trees of {LEAVES} leaves, {COLUMNS} columns, one record")
    for flavor, entry in ((Flavor.LIGHTGBM, "model.txt"), (Flavor.XGBOOST, "model.ubj")):
        with tempfile.TemporaryDirectory() as folder:
            bare = _train(flavor, Path(folder) / entry, rows, labels)
            served, bodies = _server(flavor, Path(folder), entry, rows)
            times: dict[str, list[int]] = {"bare": [], "served": []}
            for i in range(ROUNDS):
                row, body = rows[i : i + 1], bodies[i]
                for name, ask, given in (("bare", bare, row), ("served", served, body)):
                    began = perf_counter_ns()
                    ask(given)
                    times[name].append(perf_counter_ns() - began)
        alone, around = (statistics.median(times[name][200:]) / 1000 for name in times)
        ratio = around / alone
        print(f"{flavor:<9} bare {alone:7.1f} us, served {around:7.1f} us, ratio {ratio:.2f}")


def _train(flavor: Flavor, path: Path, rows: Any, labels: Any) -> Callable[[Any], object]:
    """Write a model, and answer its library's own predict."""
    if flavor is Flavor.LIGHTGBM:
        import lightgbm  # noqa: PLC0415

        options = {"objective": "binary", "num_leaves": LEAVES, "verbose": -1, "num_threads": 1}
        lightgbm.train(options, lightgbm.Dataset(rows, labels), TREES).save_model(path)
        bare: Callable[[Any], object] = lightgbm.Booster(model_file=str(path)).predict
        return bare
    import xgboost  # noqa: PLC0415

    options = {"objective": "binary:logistic", "max_leaves": LEAVES, "nthread": 1}
    xgboost.train(options, xgboost.DMatrix(rows, labels), TREES).save_model(path)
    booster = xgboost.Booster(model_file=path)
    booster.set_param({"nthread": 1})
    served: Callable[[Any], object] = booster.inplace_predict
    return served


def _server(
    flavor: Flavor, folder: Path, entry: str, rows: Any
) -> tuple[Callable[[Any], object], list[dict[str, Any]]]:
    """The model server with that model, as a function of an event; and an event for each row."""
    from halftone.serving.app import ModelServer  # noqa: PLC0415
    from halftone.serving.inference.loader import load  # noqa: PLC0415
    from halftone.serving.settings import Settings  # noqa: PLC0415

    names = [f"f{i}" for i in range(COLUMNS)]
    inputs = tuple(Field(name, FieldType.FLOAT64) for name in names)
    records = [dict(zip(names, row, strict=True)) for row in rows[:ROUNDS].tolist()]
    manifest = Manifest(
        name="model", flavor=flavor, entry=entry, inputs=inputs,
        outputs=(Field("p", FieldType.FLOAT64),), samples=(Sample((records[0],), None),),
        methods={"p": "predict"},
    )  # fmt: skip
    settings = Settings("e", "b", 1e6, 1_000_000, "r", "0" * 64)
    server = ModelServer(settings, lambda: load(folder, manifest, "0" * 64), write=lambda _: None)

    class Context:
        aws_request_id = "r"
        function_version = "1"

        def get_remaining_time_in_millis(self) -> int:
            return 10_000

    events = [
        {
            "version": "2.0",
            "rawPath": "/endpoints/e/invocations",
            "headers": {"content-type": "application/json"},
            "requestContext": {"http": {"method": "POST"}},
            "body": json.dumps({"instances": [record]}),
            "isBase64Encoded": False,
        }
        for record in records
    ]
    answer = server(events[0], Context())
    if answer["statusCode"] != 200:
        raise RuntimeError(answer)
    return (lambda event: server(event, Context())), events


if __name__ == "__main__":
    if sys.argv[1:] == ["--inside"]:
        inside()
    else:
        main(sys.argv[1])
