"""Makes the packages of the other flavors: scikit-learn, MLflow, and an app of its own.

Data: diabetes progression (442 patients), wines by chemistry (178) and irises (150), all carried by
scikit-learn. Run by ``make train``. Also written are small directories as MLflow saves them, for
tests. A skops file holds the times and addresses of its making, so that the same inputs give the
same models, but not the same bytes.
"""

import json
import shutil
from pathlib import Path

import mlflow.onnx
import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import skops.io
from mlflow.models import Model, infer_signature
from onnx import numpy_helper
from skl2onnx import to_onnx
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HERE = Path(__file__).parent
SAVED = HERE.parents[1] / "tests" / "data" / "mlflow"
SEED = 7
TREES = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
OPSET = 18


def main() -> None:
    diabetes()
    wine()
    iris()
    saved_by_mlflow()


def diabetes() -> None:
    """Flavor sklearn: a pipeline on columns of mixed types, with one type to be trusted."""
    data = load_diabetes(scaled=False)
    rows = data.data.astype(object)
    sex = data.feature_names.index("sex")
    rows[:, sex] = np.where(data.data[:, sex] == 1, "female", "male")
    ports = train_test_split(rows, data.target, test_size=0.25, random_state=SEED)
    train, held_out, target, held_out_target = ports
    # By number: requests arrive as arrays, whose columns have no names.
    numbers = [i for i in range(rows.shape[1]) if i != sex]
    columns = ColumnTransformer(
        [("sex", OneHotEncoder(sparse_output=False), [sex]), ("rest", StandardScaler(), numbers)]
    )
    trees = HistGradientBoostingRegressor(max_iter=40, max_leaf_nodes=8, random_state=SEED)
    model = make_pipeline(columns, trees).fit(train, target)
    folder = HERE / "diabetes" / "models" / "v1"
    skops.io.dump(model, folder / "model.skops")
    asked = skops.io.get_untrusted_types(file=folder / "model.skops")
    if asked != [TREES]:
        raise SystemExit(f"the file asks for {asked}; change `trusted` in {folder}/model.yaml")
    found = model.predict(held_out)
    samples = [
        {
            "instances": [dict(zip(data.feature_names, plain(row), strict=True))],
            "predictions": [{"progression": float(prediction)}],
            "tolerance": 1e-6,
        }
        for row, prediction in zip(held_out[:3], found, strict=False)
    ]
    write(folder / "samples.json", samples)
    print(f"diabetes: R2 {model.score(held_out, held_out_target):.2f} on held-out")


def wine() -> None:
    """Flavor mlflow: what ``mlflow.sklearn.save_model`` writes, with samples beside it."""
    data = load_wine(as_frame=True)
    ports = train_test_split(
        data.data, data.target, test_size=0.25, random_state=SEED, stratify=data.target
    )
    train, held_out, target, held_out_target = ports
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(train, target)
    folder = HERE / "wine" / "models" / "v1"
    save(mlflow.sklearn, model, folder / "saved", train, model.predict(train))
    samples = [
        {
            "instances": [{name: float(value) for name, value in row.items()}],
            "predictions": [{"prediction": int(model.predict(held_out[i : i + 1])[0])}],
        }
        for i, (_, row) in enumerate(held_out.head(3).iterrows())
    ]
    write(folder / "samples.json", samples)
    print(f"wine: {model.score(held_out, held_out_target):.1%} of held-out right")


def iris() -> None:
    """Flavor asgi: the weights that the app loads when it starts."""
    data = load_iris()
    ports = train_test_split(
        data.data, data.target, test_size=0.25, random_state=SEED, stratify=data.target
    )
    train, held_out, target, held_out_target = ports
    model = LogisticRegression(max_iter=1000).fit(train, target)
    weights = {
        "species": [str(name) for name in data.target_names],
        "coefficients": model.coef_.round(6).tolist(),
        "intercepts": model.intercept_.round(6).tolist(),
    }
    write(HERE / "iris" / "models" / "v1" / "weights.json", weights)
    print(f"iris: {model.score(held_out, held_out_target):.1%} of held-out right")


def saved_by_mlflow() -> None:
    """Directories for tests: ONNX, a pickle, a model of the user's own code, and probabilities."""
    data = load_wine()
    rows = data.data.astype(np.float32)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(rows, data.target)
    graph = to_onnx(model, rows[:1], options={"zipmap": False}, target_opset=OPSET)
    labels = model.predict(rows)
    answer = {"label": labels, "probabilities": model.predict_proba(rows)}
    save(mlflow.onnx, graph, SAVED / "onnx", rows, answer)
    # Tensors above a kilobyte are saved in files of their own.
    network = MLPClassifier((32,), max_iter=50, random_state=SEED).fit(rows, data.target)
    graph = to_onnx(network, rows[:1], options={"zipmap": False}, target_opset=OPSET)
    for tensor in graph.graph.initializer:  # as bytes, which is what can be kept apart
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
    save(mlflow.onnx, graph, SAVED / "external", rows, {"label": network.predict(rows)})
    save(mlflow.sklearn, model, SAVED / "pickle", rows, labels, serialization_format="pickle")
    save(
        mlflow.sklearn,
        model,
        SAVED / "probabilities",
        rows,
        answer["probabilities"],
        pyfunc_predict_fn="predict_proba",
    )
    shutil.rmtree(SAVED / "pyfunc", ignore_errors=True)
    mlflow.pyfunc.save_model(SAVED / "pyfunc", python_model=Echo(), pip_requirements=[])
    # The pickle of a class names the file that it stood in, which is of this machine.
    (SAVED / "pyfunc" / "python_model.pkl").unlink()


class Echo(mlflow.pyfunc.PythonModel):
    """A model that only MLflow itself could run."""

    def predict(self, context, model_input, params=None):  # noqa: ARG002
        return model_input


def save(kind, model, folder: Path, rows, answer, **options) -> None:
    """What MLflow makes of ``model``, with a signature and an example of two rows."""
    shutil.rmtree(folder, ignore_errors=True)
    kind.save_model(
        model,
        folder,
        signature=infer_signature(rows, answer),
        input_example=rows[:2],
        mlflow_model=Model(utc_time_created="2026-01-01 00:00:00", model_uuid="0" * 32),
        pip_requirements=[],
        **options,
    )


def plain(row: np.ndarray) -> list[object]:
    """A row of objects as JSON has them."""
    return [value if isinstance(value, str) else float(value) for value in row]


def write(path: Path, value: object) -> None:
    path.write_text(f"{json.dumps(value)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
