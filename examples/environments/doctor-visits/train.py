"""Makes every artifact of the doctor-visits endpoint: three models, their samples, the traffic.

Data: the RAND Health Insurance Experiment that statsmodels carries (20,190 person-years, public
domain). The models say how many outpatient visits to a physician a person makes in a year. Run by
``make train``; the same inputs give the same files.

Each package prepares records by pandas, with the code that trained it. That of ``bad`` is the usual
training/serving skew: in training, fair and poor health were one category before the features were
made, and the step that did that did not go into the package.
"""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import lightgbm
import numpy as np
import pandas as pd
from statsmodels.datasets import randhie

HERE = Path(__file__).parent
SEED = 7
SIZES = {"champion": (20, 4), "challenger": (150, 16), "bad": (150, 16)}
"""Trees and leaves of each model."""

SAMPLES = (3, 5, 11, 17)


def main() -> None:
    """Write the models."""
    people, visits = records()
    order = np.random.default_rng(SEED).permutation(len(people))
    held_out, train = order[:4000], order[4000:]
    traffic = people.iloc[held_out[:600]]
    lines = [
        json.dumps({"instance": instance, "label": float(label)})
        for instance, label in zip(
            traffic.to_dict("records"), visits.iloc[held_out[:600]], strict=True
        )
    ]
    (HERE / "traffic.jsonl").write_text("\n".join(lines) + "\n")
    for name, (trees, leaves) in SIZES.items():
        folder = HERE / "models" / name
        steps = preprocessing(folder)
        source = people
        if name == "bad":
            grouped = {"fair": "fair or poor", "poor": "fair or poor"}
            source = people.assign(health=people["health"].replace(grouped))
        rows = steps.features(source)
        model = lightgbm.LGBMRegressor(
            objective="poisson", n_estimators=trees, num_leaves=leaves, learning_rate=0.05,
            random_state=SEED, deterministic=True, num_threads=1, verbose=-1,
        )  # fmt: skip
        model.fit(rows.iloc[train], visits.iloc[train])
        model.booster_.save_model(folder / "model.txt")
        predicted = model.predict(rows)
        error = float(np.abs(predicted[held_out] - visits.iloc[held_out]).mean())
        print(f"{name}: mean absolute error {error:.3f} visits")
        well = [i for i in held_out if people["health"].iloc[i] in ("excellent", "good")]
        chosen = [well[i] for i in SAMPLES]
        samples = [
            {
                "instances": people.iloc[[i]].to_dict("records"),
                "predictions": [{"visits": float(predicted[i])}],
            }
            for i in chosen
        ]
        (folder / "samples.json").write_text(json.dumps(samples, indent=1) + "\n")


def records() -> tuple[pd.DataFrame, pd.Series]:
    """People as a client would describe them, and their visits in a year."""
    data = randhie.load_pandas().data
    health = np.select(
        [data["hlthg"] == 1, data["hlthf"] == 1, data["hlthp"] == 1],
        ["good", "fair", "poor"],
        "excellent",
    )
    people = pd.DataFrame(
        {
            "coinsurance": (np.exp(data["lncoins"]) - 1).round(1).clip(0, 100),
            "incentive": np.exp(data["lpi"]).round(2),
            "individual_deductible": data["idp"] == 1,
            "limited": data["physlm"] > 0,
            "conditions": data["disea"].round(2),
            "health": health,
        }
    )
    return people, data["mdvis"]


def preprocessing(folder: Path) -> ModuleType:
    """The package's own module of steps."""
    spec = importlib.util.spec_from_file_location(folder.name, folder / "preprocess.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
