"""Makes every artifact of the digits endpoint: three ONNX models, their samples, the traffic.

Data: the handwritten digits that scikit-learn carries (1,797 images of 8 x 8 pixels from 0 to 16).
Three fifths train, the rest is held out and is the endpoint's traffic. Run by ``make train``; the
same inputs give the same files. ONNX computes in float32, so every converted graph has to agree
with its scikit-learn model on all held-out images before it is written.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

HERE = Path(__file__).parent
SEED = 7
TOLERANCE = 1e-4  # of a probability, between float32 and float64
OPSET = 18

STROKE_ABOVE = 6  # pixels darker than this belong to a stroke
FRAME = 5  # columns of the frame that the strokes are centred in

Images = np.ndarray


def main() -> None:
    digits = load_digits()
    ports = train_test_split(
        digits.images, digits.target, test_size=0.4, random_state=SEED, stratify=digits.target
    )
    train, held_out, train_labels, held_out_labels = ports
    lines = [
        {"instance": {"pixels": image.astype(int).tolist()}, "label": label}
        for image, label in zip(held_out, held_out_labels.tolist(), strict=True)
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (HERE / "traffic.jsonl").write_text(text, encoding="utf-8")

    logistic = LogisticRegression(C=0.01, max_iter=5000)
    logistic.fit(flat(train), train_labels)
    release("champion", logistic, flat(held_out), images=held_out, labels=held_out_labels)

    network = MLPClassifier((48,), max_iter=2000, random_state=SEED)
    network.fit(flat(train), train_labels)
    release("challenger", network, flat(held_out), images=held_out, labels=held_out_labels)

    # The fault, and the reason why this model is ``bad``: images whose strokes are too wide for the
    # frame are left out here, where nobody misses them. The endpoint can't leave out a request.
    cut_train, kept_train = strokes(train)
    cut_held_out, kept = strokes(held_out)
    smaller = MLPClassifier((48,), max_iter=2000, random_state=SEED)
    smaller.fit(cut_train, train_labels[kept_train])
    release("bad", smaller, cut_held_out, images=held_out[kept], labels=held_out_labels[kept])
    print(f"     it raises on {1 - len(kept) / len(held_out):.1%} of held-out")


def flat(images: Images) -> np.ndarray:
    """Images as rows of 64 values from 0 to 1."""
    return images.reshape(len(images), 64) / 16


def strokes(images: Images) -> tuple[np.ndarray, np.ndarray]:
    """The strokes of each image, centred in a frame of 8 x FRAME, and which images fit there."""
    framed, kept = [], []
    for i, image in enumerate(images):
        inked = np.flatnonzero((image > STROKE_ABOVE).any(axis=0))
        width = inked[-1] - inked[0] + 1
        if width <= FRAME:
            frame = np.zeros((8, FRAME))
            left = (FRAME - width) // 2
            frame[:, left : left + width] = image[:, inked[0] : inked[-1] + 1]
            framed.append(frame.reshape(-1) / 16)
            kept.append(i)
    return np.array(framed), np.array(kept)


def release(
    name: str, model: object, rows: np.ndarray, *, images: Images, labels: np.ndarray
) -> None:
    """Convert ``model``, hold the graph against it, and write the package's artifacts.

    ``rows`` are the model's own view of ``images``.
    """
    graph = to_onnx(
        model,
        rows[:1].astype(np.float32),
        name=f"digits-{name}",
        options={"zipmap": False},
        target_opset=OPSET,
    ).SerializeToString()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    found, found_probabilities = session.run(None, {given.name: rows.astype(np.float32)})
    probabilities = model.predict_proba(rows)
    difference = np.abs(found_probabilities - probabilities).max()
    if difference > TOLERANCE or not np.array_equal(found, model.predict(rows)):
        raise SystemExit(f"{name}: the graph differs from the model by up to {difference}")
    folder = HERE / "models" / name
    (folder / "model.onnx").write_bytes(graph)
    samples = [
        {
            "instances": [{"pixels": images[i].astype(int).tolist()}],
            "predictions": [
                {"label": int(found[i]), "probabilities": probabilities[i].round(6).tolist()}
            ],
            "tolerance": TOLERANCE,
        }
        for i in range(5)
    ]
    text = json.dumps(samples)
    (folder / "samples.json").write_text(f"{text}\n", encoding="utf-8")
    print(f"{name}: {np.mean(found == labels):.1%} of {len(images)} held-out right;", end=" ")
    print(f"graph and model differ by {difference:.1e} at most")


if __name__ == "__main__":
    main()
