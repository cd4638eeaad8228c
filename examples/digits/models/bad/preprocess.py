"""From images to what the graph was trained on: strokes alone, centred in a narrow frame."""

import numpy as np

STROKE_ABOVE = 6
FRAME = 5


def preprocess(instances):
    """The graph's input for a batch of records."""
    return {"X": np.array([_framed(record["pixels"]) for record in instances], dtype=np.float32)}


def _framed(pixels):
    image = np.array(pixels)
    inked = np.flatnonzero((image > STROKE_ABOVE).any(axis=0))
    strokes = image[:, inked[0] : inked[-1] + 1]
    left = (FRAME - strokes.shape[1]) // 2
    frame = np.zeros((8, FRAME))
    frame[:, left : left + strokes.shape[1]] = strokes
    return frame.reshape(-1) / 16
