"""From records to the model's columns, by pandas. Training calls the same code."""

import numpy as np
import pandas as pd


def preprocess(instances):
    """The rows of a request."""
    return features(pd.DataFrame(instances))


def features(people):
    """The columns that the model was fitted on."""
    return pd.DataFrame(
        {
            "ln_coinsurance": np.log1p(people["coinsurance"]),
            "ln_incentive": np.log(people["incentive"].clip(lower=1)),
            "individual_deductible": people["individual_deductible"].astype("int64"),
            "conditions": people["conditions"],
        }
    )
