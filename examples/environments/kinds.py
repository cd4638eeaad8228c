"""Makes small packages with requirements of their own, one of each kind, for the tests.

Their samples are what the libraries themselves answer. Run by ``make train``.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import lightgbm
import mlflow.lightgbm
import mlflow.pyfunc
import numpy as np
import pandas as pd
import skops.io
import xgboost
from mlflow.models import infer_signature
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

KINDS = Path(__file__).parents[2] / "tests" / "data" / "environments"
SEED = 7
ROWS = 300
ASKED = 3


def main() -> None:
    """Write the packages."""
    random = np.random.default_rng(SEED)
    numbers = pd.DataFrame(random.normal(size=(ROWS, 3)), columns=["a", "b", "c"])
    mixed = numbers.assign(city=random.choice(["Bern", "Oslo", "Rome"], ROWS))
    positive = (numbers["a"] + numbers["b"] * numbers["c"] > 0).astype(int)
    lightgbm_by_arrays(numbers, positive)
    lightgbm_with_categories(mixed, positive)
    xgboost_classes(numbers, positive + (numbers["a"] > 1).astype(int))
    sklearn_on_named_columns(mixed, positive)
    mlflow_booster(numbers, positive)
    mlflow_code(numbers)


def lightgbm_by_arrays(rows, labels) -> None:
    model = lightgbm.LGBMClassifier(n_estimators=5, num_leaves=4, verbose=-1).fit(rows, labels)
    folder = package(
        "lightgbm-arrays", "lightgbm", "model.txt", ["lightgbm"], rows,
        outputs=[("label", "int64", None), ("shares", "float64", [2]), ("raw", "float64", None)],
        methods={"label": "label", "shares": "predict", "raw": "raw_score"},
        predictions=[
            {"label": int(shares.argmax()), "shares": shares.tolist(), "raw": float(raw)}
            for shares, raw in zip(
                model.predict_proba(rows[:ASKED]),
                model.predict(rows[:ASKED], raw_score=True),
                strict=True,
            )
        ],
    )  # fmt: skip
    model.booster_.save_model(folder / "model.txt")


def lightgbm_with_categories(rows, labels) -> None:
    known = rows.astype({"city": "category"})
    model = lightgbm.LGBMClassifier(n_estimators=5, num_leaves=4, verbose=-1).fit(known, labels)
    folder = package(
        "lightgbm-categories", "lightgbm", "model.txt", ["lightgbm", "pandas"], rows,
        outputs=[("share", "float64", None)],
        predictions=[{"share": float(p)} for p in model.predict_proba(known[:ASKED])[:, 1]],
    )  # fmt: skip
    model.booster_.save_model(folder / "model.txt")


def xgboost_classes(rows, labels) -> None:
    model = xgboost.XGBClassifier(n_estimators=5, max_depth=3).fit(rows, labels)
    folder = package(
        "xgboost-classes", "xgboost", "model.ubj", ["xgboost-cpu"], rows,
        outputs=[("label", "int64", None), ("shares", "float32", [3])],
        methods={"label": "label", "shares": "predict"},
        predictions=[
            {"label": int(shares.argmax()), "shares": [float(share) for share in shares]}
            for shares in model.predict_proba(rows[:ASKED])
        ],
    )  # fmt: skip
    model.save_model(folder / "model.ubj")


def sklearn_on_named_columns(rows, labels) -> None:
    columns = ColumnTransformer(
        [("city", OneHotEncoder(sparse_output=False), ["city"]),
         ("rest", StandardScaler(), ["a", "b", "c"])]
    )  # fmt: skip
    model = make_pipeline(columns, LogisticRegression()).fit(rows, labels)
    folder = package(
        "sklearn-named", "sklearn", "model.skops", ["pandas"], rows,
        outputs=[("share", "float64", [2])],
        methods={"share": "predict_proba"},
        predictions=[{"share": p.tolist()} for p in model.predict_proba(rows[:ASKED])],
    )  # fmt: skip
    skops.io.dump(model, folder / "model.skops")


def mlflow_booster(rows, labels) -> None:
    data = lightgbm.Dataset(rows, labels)
    model = lightgbm.train({"objective": "binary", "num_leaves": 4, "verbose": -1}, data, 5)
    saved = fresh("mlflow-booster") / "saved"
    mlflow.lightgbm.save_model(
        model,
        saved,
        signature=infer_signature(rows, model.predict(rows)),
        pip_requirements=["mlflow-skinny", "lightgbm", "pandas"],
    )
    declare(saved.parent, rows, [{"prediction": float(p)} for p in model.predict(rows[:ASKED])])


def mlflow_code(rows) -> None:
    """A model of its own code, with a module beside it and a parameter: no pickle."""
    folder = fresh("mlflow-code")
    with tempfile.TemporaryDirectory() as scratch:
        helpers = Path(scratch) / "halves"
        helpers.mkdir()
        (helpers / "__init__.py").write_text("def half(values):\n    return values / 2\n")
        code = Path(scratch) / "model.py"
        code.write_text(_CODE)
        # MLflow imports the code when it saves it.
        sys.path.insert(0, scratch)
        mlflow.pyfunc.save_model(
            folder / "saved",
            python_model=str(code),
            code_paths=[str(helpers)],
            signature=infer_signature(rows, rows["a"].to_numpy(), params={"times": 1.0}),
            pip_requirements=["mlflow-skinny", "pandas"],
        )
    predictions = [{"prediction": float(value) * 3 / 2} for value in rows["a"][:ASKED]]
    declare(folder, rows, predictions, params={"times": 3.0})
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)


_CODE = """
import mlflow
from halves import half
from mlflow.pyfunc import PythonModel


class Times(PythonModel):
    def predict(self, context, model_input, params=None):
        return half(model_input["a"]) * params["times"]


mlflow.models.set_model(Times())
"""


def package(name, flavor, entry, requirements, rows, *, outputs, predictions, methods=None) -> Path:
    """The folder of a package, all but its model."""
    folder = fresh(name)
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n")
    manifest = {
        "name": name,
        "flavor": flavor,
        "entry": entry,
        "requirements": "requirements.txt",
        "inputs": [
            {"name": column, "type": "float64" if rows[column].dtype == float else "string"}
            for column in rows.columns
        ],
        "outputs": [
            {"name": output, "type": kind, **({"shape": shape} if shape else {})}
            for output, kind, shape in outputs
        ],
        "samples": sample(rows, predictions),
    }
    if methods:
        manifest["methods"] = methods
    (folder / "model.yaml").write_text(json.dumps(manifest, indent=1) + "\n")
    return folder


def declare(folder, rows, predictions, **more) -> None:
    """The ``model.yaml`` of a directory that MLflow saved below ``folder``."""
    manifest = {
        "name": folder.name,
        "flavor": "mlflow",
        "entry": "saved/MLmodel",
        "samples": sample(rows, predictions),
        **more,
    }
    (folder / "model.yaml").write_text(json.dumps(manifest, indent=1) + "\n")


def sample(rows, predictions) -> list[dict]:
    """One sample of the first rows."""
    instances = rows[:ASKED].to_dict("records")
    return [{"instances": instances, "predictions": predictions, "tolerance": 0.0001}]


def fresh(name: str) -> Path:
    """An empty folder of that name."""
    folder = KINDS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    main()
