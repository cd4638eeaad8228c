"""Makes every artifact of the breast-cancer endpoint: three models, their samples, the traffic.

Data: the Wisconsin diagnostic set that scikit-learn carries (569 tumours, 30 measurements each).
Half of it trains, the other half is the endpoint's traffic. Run by ``make train``; the same inputs
give the same files.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
SEED = 7
FEW = ("mean_texture", "mean_compactness", "mean_symmetry")
SCREENED_BELOW = 850.0  # worst_area, in the unit of the data
BIN_WIDTHS = {"worst_area": 50.0, "worst_smoothness": 0.02, "mean_texture": 4.0}

Record = dict[str, float]


def main() -> None:
    data = load_breast_cancer()
    names = [name.replace(" ", "_").replace("_error", "_se") for name in data.feature_names]
    malignant = data.target == 0  # the set's own coding; ours is 1 for malignant
    ports = train_test_split(
        data.data, malignant.astype(int), test_size=0.5, random_state=SEED, stratify=malignant
    )
    train, held_out, train_labels, held_out_labels = ports
    traffic = [dict(zip(names, row.tolist(), strict=True)) for row in held_out]
    write_lines(
        HERE / "traffic.jsonl",
        [
            {"instance": record, "label": spoken(label)}
            for record, label in zip(traffic, held_out_labels.tolist(), strict=True)
        ],
    )
    columns = [names.index(name) for name in FEW]
    for model, chosen in (("champion", columns), ("challenger", list(range(len(names))))):
        pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
        pipeline.fit(train[:, chosen], train_labels)
        write(model, "weights.json", weights(pipeline, [names[i] for i in chosen]))
        probabilities = pipeline.predict_proba(held_out[:, chosen])[:, 1]
        write_samples(model, traffic, probabilities.tolist(), range(5))
        print(
            f"{model}: {np.mean((probabilities >= 0.5) == held_out_labels):.1%} of held-out right"
        )
    card = scorecard(train, train_labels, names)
    write("bad", "scorecard.json", card)
    known = [i for i, record in enumerate(traffic) if score(card, record) is not None]
    right = [(score(card, traffic[i]) >= 0.5) == held_out_labels[i] for i in known]
    write_samples("bad", traffic, [score(card, record) for record in traffic], known[:5])
    print(f"bad: {np.mean(right):.1%} right where its tables reach, which is in {len(known)}")
    print(f"     of {len(traffic)} held-out: it raises on {1 - len(known) / len(traffic):.1%}")


def weights(pipeline: object, names: list[str]) -> dict[str, object]:
    """The pipeline as what ``predict.py`` needs of it."""
    scaler, model = (step for _, step in pipeline.steps)
    return {
        "features": names,
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "coefficients": model.coef_[0].tolist(),
        "intercept": model.intercept_[0].item(),
    }


def scorecard(rows: np.ndarray, labels: np.ndarray, names: list[str]) -> dict[str, object]:
    """Weights of evidence per bin, as credit scoring makes them: log of the odds in a bin to all.

    Its fault, and the reason why this model is ``bad``: it is built from an export of a screening
    programme, in which large tumours are missing. Its tables have no bins for them.
    """
    screened = rows[:, names.index("worst_area")] < SCREENED_BELOW
    rows, labels = rows[screened], labels[screened]
    overall = math.log(labels.sum() / (len(labels) - labels.sum()))
    tables = {}
    for name, width in BIN_WIDTHS.items():
        bins = np.floor(rows[:, names.index(name)] / width).astype(int)
        tables[name] = {
            str(found): math.log(
                (labels[bins == found].sum() + 0.5) / ((1 - labels[bins == found]).sum() + 0.5)
            )
            - overall
            for found in sorted(set(bins.tolist()))
        }
    return {"intercept": overall, "widths": BIN_WIDTHS, "tables": tables}


def score(card: Mapping[str, dict], record: Record) -> float | None:
    """What the scorecard says of a record; None where a table has no bin for it."""
    total = card["intercept"]
    for name, table in card["tables"].items():
        found = table.get(str(math.floor(record[name] / card["widths"][name])))
        if found is None:
            return None
        total += found
    return 1 / (1 + math.exp(-total))


def spoken(label: int) -> str:
    """The label as clients read it."""
    return "malignant" if label else "benign"


def write_samples(model: str, traffic: list[Record], probabilities: list, chosen: range) -> None:
    """The package's samples: what it must answer, computed here and not by the package itself."""
    samples = [
        {
            "instances": [traffic[i]],
            "predictions": [
                {"diagnosis": spoken(probabilities[i] >= 0.5), "probability": probabilities[i]}
            ],
            "tolerance": 1e-9,
        }
        for i in chosen
    ]
    write(model, "samples.json", samples)


def write(model: str, name: str, value: object) -> None:
    """One JSON artifact of a model."""
    text = json.dumps(value, indent=1)
    (HERE / "models" / model / name).write_text(f"{text}\n", encoding="utf-8")


def write_lines(path: Path, values: list[object]) -> None:
    """One JSON value per line."""
    text = "".join(f"{json.dumps(value)}\n" for value in values)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
