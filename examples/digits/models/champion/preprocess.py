"""From images to what the graph was trained on: rows of 64 values from 0 to 1."""

import numpy as np


def preprocess(instances):
    """The graph's input for a batch of records."""
    pixels = np.array([record["pixels"] for record in instances], dtype=np.float32)
    return {"X": pixels.reshape(len(instances), 64) / 16}
