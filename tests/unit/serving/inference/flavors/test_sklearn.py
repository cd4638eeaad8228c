"""Scikit-learn models from skops files, and from pickles where the manifest says so."""

import pickle

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest_schema import load_manifest
from halftone.serving.inference.loader import load

ROWS = np.array([[0.0, 0.0], [1.0, 0.5], [2.0, 1.0], [3.0, 1.5]])
LABELS = np.array(["low", "low", "high", "high"])
INPUTS = [{"name": "a", "type": "float64"}, {"name": "b", "type": "float64"}]
TREES = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"


def manifest(**changes):
    fields = {
        "name": "rows",
        "flavor": "sklearn",
        "entry": "model.skops",
        "inputs": INPUTS,
        "outputs": [{"name": "label", "type": "string"}],
    }
    fields.update(changes)
    zero = {"string": "", "float64": 0.0, "int64": 0}
    record = {
        field["name"]: np.full(field.get("shape", []), zero[field["type"]]).tolist()
        for field in fields["inputs"]
    }
    return load_manifest({"samples": [{"instances": [record]}], **fields})


@pytest.fixture
def loaded(tmp_path):
    """loaded(model, **manifest): the model from a skops file in a package's folder."""

    def one(model, **changes):
        skops.io.dump(model, tmp_path / "model.skops")
        return load(tmp_path, manifest(**changes), "5c1" * 21)

    return one


@pytest.fixture
def classifier():
    return LogisticRegression().fit(ROWS, LABELS)


TEXTS = ["good great fine", "bad awful poor", "great good", "poor bad"]
KINDS = np.array(["up", "down", "up", "down"])
PROMPT = [{"name": "prompt", "type": "string"}]


def reviews(vectorizer):
    return make_pipeline(vectorizer, LogisticRegression()).fit(TEXTS, KINDS)


@pytest.mark.parametrize(
    "model",
    [
        reviews(TfidfVectorizer()),
        reviews(CountVectorizer()),
        reviews(HashingVectorizer(n_features=64)),
        reviews(make_pipeline(FeatureUnion([("words", TfidfVectorizer())]))),
        GridSearchCV(reviews(TfidfVectorizer()), {"logisticregression__C": [1.0, 2.0]}, cv=2).fit(
            TEXTS, KINDS
        ),
        CalibratedClassifierCV(reviews(TfidfVectorizer()), cv=2).fit(TEXTS, KINDS),
    ],
    ids=["tfidf", "count", "hashing", "nested", "search", "calibrated"],
)
@pytest.mark.parametrize("on_arrays", [False, True])
def test_a_text_model_gets_a_list_of_texts(loaded, tmp_path, model, on_arrays):
    skops.io.dump(model, tmp_path / "model.skops")
    trusted = skops.io.get_untrusted_types(file=tmp_path / "model.skops")
    served = loaded(model, inputs=PROMPT, trusted=trusted)
    expected = model.predict(TEXTS).tolist()
    if on_arrays:
        values = served.arrays({"prompt": np.array(TEXTS, object)})["label"].tolist()
    else:
        values = [record["label"] for record in served.predict([{"prompt": t} for t in TEXTS])]
    assert values == expected


@pytest.mark.parametrize(
    "inputs",
    [
        [{"name": "a", "type": "float64"}],
        [{"name": "a", "type": "string"}, {"name": "b", "type": "string"}],
        [{"name": "a", "type": "string", "shape": [2]}],
        [{"name": "a", "type": "string", "optional": True}],
    ],
)
def test_a_text_model_of_other_fields_is_refused(loaded, inputs):
    with pytest.raises(InvalidPackage, match="expected a single text that is not optional"):
        loaded(reviews(TfidfVectorizer()), inputs=inputs)


def test_a_table_of_one_text_column_stays_a_table(loaded):
    rows = np.array([["a"], ["b"], ["a"], ["b"]], object)
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(rows, LABELS)
    served = loaded(model, inputs=PROMPT)
    assert served.predict([{"prompt": "a"}]) == [{"label": model.predict(rows[:1])[0]}]


def test_a_single_output_is_what_predict_says(loaded, classifier):
    predict = loaded(classifier).predict
    assert predict([{"a": 0.0, "b": 0.0}, {"a": 3.0, "b": 1.5}]) == [
        {"label": "low"},
        {"label": "high"},
    ]


def test_outputs_are_the_methods_that_the_manifest_names(loaded, classifier):
    model = loaded(
        classifier,
        outputs=[
            {"name": "label", "type": "string"},
            {"name": "shares", "type": "float64", "shape": [2]},
            {"name": "decision_function", "type": "float64"},
        ],
        methods={"label": "predict", "shares": "predict_proba"},
    )
    (prediction,) = model.predict([{"a": 2.0, "b": 1.0}])
    assert prediction["label"] == "high"
    assert prediction["shares"] == classifier.predict_proba(ROWS[2:3])[0].tolist()
    assert prediction["decision_function"] == classifier.decision_function(ROWS[2:3])[0]


def test_columns_stand_in_the_order_of_the_signature(loaded):
    model = LinearRegression().fit(ROWS, ROWS[:, 0] * 10 + 3)
    predict = loaded(model, outputs=[{"name": "y", "type": "float64"}]).predict
    assert predict([{"b": 0.0, "a": 2.0}]) == predict([{"a": 2.0, "b": 0.0}])


def test_texts_and_numbers_make_columns_of_objects(loaded):
    rows = np.array([["red", 1.0], ["blue", 2.0], ["red", 3.0]], dtype=object)
    columns = ColumnTransformer([("color", OneHotEncoder(), [0])], remainder="passthrough")
    model = make_pipeline(columns, LinearRegression()).fit(rows, [1.0, 12.0, 3.0])
    inputs = [{"name": "color", "type": "string"}, {"name": "size", "type": "int64"}]
    predict = loaded(model, inputs=inputs, outputs=[{"name": "y", "type": "float64"}]).predict
    (prediction,) = predict([{"color": "blue", "size": 2}])
    assert prediction["y"] == pytest.approx(12.0)


def test_a_field_with_a_shape_gives_as_many_columns(loaded):
    rows = np.arange(24.0).reshape(4, 6) ** 2
    model = LinearRegression().fit(rows, rows[:, 5])
    inputs = [
        {"name": "grid", "type": "float64", "shape": [2, 2]},
        {"name": "pair", "type": "float64", "shape": [2]},
    ]
    predict = loaded(model, inputs=inputs, outputs=[{"name": "y", "type": "float64"}]).predict
    row = rows[3].tolist()
    (prediction,) = predict([{"grid": [row[:2], row[2:4]], "pair": row[4:]}])
    assert prediction["y"] == pytest.approx(rows[3, 5])


def test_steps_travel_in_the_package(loaded, classifier, tmp_path):
    (tmp_path / "steps.py").write_text(
        "import numpy as np\n"
        "def preprocess(instances):\n"
        "    return np.array([[r['a'], r['a'] / 2] for r in instances])\n"
        "def postprocess(outputs):\n"
        "    return [{'label': text.upper()} for text in outputs['label']]\n"
    )
    model = loaded(classifier, preprocess="steps.py", inputs=INPUTS[:1])
    assert model.predict([{"a": 3.0}]) == [{"label": "HIGH"}]


def test_on_arrays_it_answers_as_on_records(loaded, classifier):
    model = loaded(classifier)
    outputs = model.arrays({"a": ROWS[:, 0], "b": ROWS[:, 1]})
    records = [{"a": a, "b": b} for a, b in ROWS.tolist()]
    assert [{"label": label} for label in outputs["label"]] == model.predict(records)


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"inputs": INPUTS[:1]}, "inputs", "the 2 columns"),
        ({"methods": {"label": "transform"}}, "methods.label", "a method of LogisticRegression"),
    ],
)
def test_a_manifest_that_the_model_breaks_is_refused_at_load(
    loaded, classifier, changes, field, expected
):
    with pytest.raises(InvalidPackage, match=expected) as caught:
        loaded(classifier, **changes)
    assert caught.value.field == field


def test_columns_in_another_order_than_fitted_are_refused(loaded, classifier):
    classifier.feature_names_in_ = np.array(["b", "a"], dtype=object)
    with pytest.raises(InvalidPackage, match=r"the order that the model was fitted with"):
        loaded(classifier)


@pytest.mark.filterwarnings("error")
def test_names_from_the_fitting_cause_no_warning(loaded, classifier):
    classifier.feature_names_in_ = np.array(["a", "b"], dtype=object)
    assert loaded(classifier).predict([{"a": 0.0, "b": 0.0}]) == [{"label": "low"}]


def test_types_that_skops_does_not_know_must_be_named(loaded):
    trees = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=1).fit(ROWS, LABELS)
    with pytest.raises(InvalidPackage, match=r"if its maker is trusted: .*TreePredictor") as caught:
        loaded(trees)
    assert caught.value.field == "trusted"
    assert loaded(trees, trusted=[TREES]).predict([{"a": 0.0, "b": 0.0}])


def test_a_file_that_asks_for_code_is_loaded_only_if_named(loaded, tmp_path):
    calls = make_pipeline(FunctionTransformer(np.loadtxt), LinearRegression())
    with pytest.raises(InvalidPackage) as caught:
        loaded(calls, trusted=[TREES])
    assert caught.value.field == "trusted"


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 broken"])
def test_what_is_no_skops_file_is_refused(tmp_path, content):
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(InvalidPackage, match="a skops file"):
        load(tmp_path, manifest(), "5c2" * 21)


@pytest.mark.parametrize("dump", [pickle.dump, joblib.dump])
def test_a_pickle_loads_where_the_manifest_says_so(classifier, tmp_path, dump):
    with (tmp_path / "model.pkl").open("wb") as file:
        dump(classifier, file)
    allowed = manifest(entry="model.pkl", allow_pickle=True)
    predict = load(tmp_path, allowed, "5c3" * 21).predict
    assert predict([{"a": 0.0, "b": 0.0}]) == [{"label": "low"}]
