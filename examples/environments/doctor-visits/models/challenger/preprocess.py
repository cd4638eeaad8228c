"""From records to the model's columns, by pandas. Training calls the same code."""

import numpy as np
import pandas as pd

HEALTH = {"excellent": 0, "good": 1, "fair": 2, "poor": 3}


def preprocess(instances):
    """The rows of a request."""
    return features(pd.DataFrame(instances))


def features(people):
    """The columns that the model was fitted on; of another word for health, it knows nothing."""
    return pd.DataFrame(
        {
            "ln_coinsurance": np.log1p(people["coinsurance"]),
            "ln_incentive": np.log(people["incentive"].clip(lower=1)),
            "individual_deductible": people["individual_deductible"].astype("int64"),
            "limited": people["limited"].astype("int64"),
            "conditions": people["conditions"],
            "health": people["health"].map(HEALTH).astype("float64"),
        }
    )
