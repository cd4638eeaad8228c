"""Asks MLflow's own scoring server what it makes of each request below, and keeps the answers.

    .local/train/bin/python tests/data/mlflow/requests/ask.py     (``make train`` installs MLflow)

The requests have the shapes of MLflow's page "Deploy MLflow Model as a Local Inference Server"
(https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally), and wrong ones beside each;
names and values are made up. Every model answers the records that it was given, so that an answer
shows how a request was read. The unit test ``test_mlflow_requests.py`` holds the model server to
``answers.json``. Where the two are meant to differ a request says why: STRICTER where
MLflow takes what Halftone refuses, LENIENT where it is the other way round.
"""

import json
import tempfile
import warnings
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.pyfunc import scoring_server
from mlflow.types import ColSpec, Schema, TensorSpec

JSON, CSV = "application/json", "text/csv"
STRICTER, LENIENT = "stricter", "lenient"
EXTRA = (STRICTER, "nothing beside the signature is passed over in silence")
CAST = (STRICTER, "a value is never made another one to fit")
EMPTY = (STRICTER, "no record is no request")
BLANK = (STRICTER, "each line is a record, so that there are as many answers")
GAP = (STRICTER, "a value that is missing is none")
ROWS = (LENIENT, "rows stand for values in the order of the fields")
NAMED = (LENIENT, "a tensor may be called by its name, and records may hold tensors")
TYPE = (LENIENT, "a body is JSON by what it is, so that curl needs no header")

SCHEMAS = {
    "columns": Schema([ColSpec("double", "a"), ColSpec("integer", "b")]),
    "flags": Schema([ColSpec("boolean", "f"), ColSpec("long", "n"), ColSpec("float", "p")]),
    "text": Schema([ColSpec("string", "prompt")]),
    "texts": Schema([ColSpec("string", "question"), ColSpec("string", "context")]),
    "tensor": Schema([TensorSpec(np.dtype("float32"), (-1, 3))]),
    "tensors": Schema(
        [
            TensorSpec(np.dtype("float32"), (-1, 2), "x"),
            TensorSpec(np.dtype("int64"), (-1,), "k"),
        ]
    ),
}
AB = ["a", "b"]
RECORD = {"a": 1.5, "b": 2}


def split(data, columns=AB, **more):
    """A table as pandas splits it."""
    named = {} if columns is None else {"columns": columns}
    return {"dataframe_split": {**more, **named, "data": data}}


# Each: the model, the body (a text as it is, else JSON), and where the two differ, why.
REQUESTS = [
    ("columns", split([[1.5, 2], [3.0, 4]])),
    ("columns", split([[2, 1.5], [4, 3.0]], ["b", "a"], index=[0, 1])),
    ("columns", split([[1, 2]])),
    ("columns", split([[1.5, 2], [3.0, 4]], index=[0])),
    ("columns", split([[1.5, 2]], None), ROWS),
    ("columns", split([]), EMPTY),
    ("columns", split([[1.5]], ["a"])),
    ("columns", split([[1.5]])),
    ("columns", split([[1.5, 2, 3]], [*AB, "c"]), EXTRA),
    ("columns", split([[1.5, 2]], ["a", "a"])),
    ("columns", split([[1.5, "x"]])),
    ("columns", split([[1.5, None]])),
    ("columns", split([[None, 2]]), GAP),
    ("columns", split([[1.5, "2"]]), CAST),
    ("columns", split([[1.5, 0.5]]), CAST),
    ("columns", split([[1.5, 2.0]]), CAST),
    ("columns", split([[1.5, 2**31]]), CAST),
    ("columns", {"dataframe_split": {"columns": AB, "rows": 1}}),
    ("columns", {"dataframe_split": [[1.5, 2]]}),
    ("columns", {"dataframe_split": "a,b"}),
    ("columns", {"dataframe_records": [RECORD, {"b": 4, "a": 3.0}]}),
    ("columns", {"dataframe_records": []}),
    ("columns", {"dataframe_records": {"a": [1.5], "b": [2]}}),
    ("columns", {"dataframe_records": [{"a": 1.5}]}),
    ("columns", {"inputs": {"a": [1.5, 3.0], "b": [2, 4]}}),
    ("columns", {"inputs": [RECORD, RECORD]}),
    ("columns", {"inputs": RECORD}),
    ("columns", {"inputs": [[1.5, 2]]}, ROWS),
    ("columns", {"inputs": {"a": [1.5], "b": [2, 3]}}),
    ("columns", {"inputs": {"a": [1.5]}}),
    ("columns", {"inputs": {"a": 1.5}}),
    ("columns", {"inputs": {}}),
    ("columns", {"inputs": []}),
    ("columns", {"inputs": "a"}),
    ("columns", {"inputs": None}),
    ("columns", {"instances": [RECORD, RECORD]}),
    ("columns", {"instances": {"a": [1.5, 3.0], "b": [2, 4]}}),
    ("columns", {"instances": RECORD}),
    ("columns", {"instances": [[1.5, 2]]}, ROWS),
    ("columns", {"instances": [RECORD], "inputs": [RECORD]}),
    ("columns", {"instances": [{**RECORD, "c": 3}]}, EXTRA),
    ("columns", {"instances": [RECORD], "signature_name": "x"}, EXTRA),
    ("columns", {"instances": [RECORD], "params": {"temperature": 0.5}}, EXTRA),
    ("columns", {"params": {"b": 1}}),
    ("columns", {"messages": [{"role": "user", "content": "Tell a story."}]}),
    ("columns", {}),
    ("columns", [RECORD]),
    ("columns", "7"),
    ("columns", "{not JSON"),
    ("columns", ""),
    ("flags", {"dataframe_records": [{"f": True, "n": 1, "p": 0.5}]}),
    ("flags", {"dataframe_records": [{"f": False, "n": 2**40, "p": 1}]}),
    ("flags", {"dataframe_records": [{"f": 1, "n": 1, "p": 0.5}]}, CAST),
    ("flags", {"dataframe_records": [{"f": "true", "n": 1, "p": 0.5}]}, CAST),
    ("flags", {"dataframe_records": [{"f": True, "n": True, "p": 0.5}]}, CAST),
    ("text", {"inputs": ["Bread", "Butter"]}),
    ("text", {"instances": ["Bread", "Butter"]}),
    ("text", {"inputs": {"prompt": ["Bread", "Butter"]}}),
    ("text", {"inputs": {"prompt": "Bread"}}),
    ("text", {"inputs": "Bread"}),
    ("text", {"inputs": [["Bread"], ["and", "Butter"]]}),
    ("texts", {"inputs": {"question": ["Who?"], "context": ["Ada wrote it."]}}),
    ("texts", {"inputs": {"question": "Who?", "context": "Ada wrote it."}}),
    ("texts", {"inputs": [{"question": "Who?", "context": "Ada wrote it."}]}),
    ("texts", split([["Who?", "Ada wrote it."]], ["question", "context"])),
    ("texts", split([["Who?", 7]], ["question", "context"]), CAST),
    (
        "texts",
        {"inputs": {"question": ["Who?"], "context": ["Ada."]}, "params": {"max_words": 10}},
        EXTRA,
    ),
    ("tensor", {"inputs": [[1, 2, 3], [4, 5, 6]]}),
    ("tensor", {"instances": [[1, 2, 3], [4, 5, 6]]}),
    ("tensor", split([[1, 2, 3]], None)),
    ("tensor", split([[1, 2, 3], [4, 5, 6]], ["u", "v", "w"])),
    ("tensor", split([[1, 2, 3]], [0, 1, 2], index=[0])),
    ("tensor", split([[1, 2]], ["u", "v"])),
    ("tensor", {"inputs": {"input": [[1, 2, 3]]}}, NAMED),
    ("tensor", {"inputs": [1, 2, 3]}),
    ("tensor", {"inputs": [[1, 2]]}),
    ("tensor", {"inputs": [[1, 2, 3], [4, 5]]}),
    ("tensor", {"inputs": [["x", 2, 3]]}),
    ("tensor", {"inputs": [["1", 2, 3]]}, CAST),
    ("tensors", {"inputs": {"x": [[1, 2], [3, 4]], "k": [5, 6]}}),
    ("tensors", {"instances": [{"x": [1, 2], "k": 5}, {"x": [3, 4], "k": 6}]}),
    ("tensors", {"inputs": [{"x": [1, 2], "k": 5}]}, NAMED),
    ("tensors", split([[[1, 2], 5]], ["x", "k"])),
    ("tensors", {"dataframe_records": [{"x": [1, 2], "k": 5}]}),
    ("tensors", {"instances": [{"x": [1, 2], "k": 5}, {"x": [3, 4]}]}),
    ("tensors", {"inputs": {"x": [[1, 2]]}}),
    ("tensors", {"inputs": {"x": [[1, 2], [3, 4]], "k": [5]}}, GAP),
]
TABLES = [
    ("columns", "a,b\n1.5,2\n3.0,4\n"),
    ("columns", "b,a\r\n2,1.5\r\n"),
    ("columns", ",a,b\n0,1.5,2\n1,3.0,4\n"),
    ("columns", "\ufeffa,b\n\n1.5,2\n", BLANK),
    ("columns", "1,2\n"),
    ("columns", "a,b\n", EMPTY),
    ("columns", ""),
    ("columns", "a,b\n1.5\n"),
    ("columns", "a,b\n1.5,2,3\n", EXTRA),
    ("columns", "a,b\n1.5,x\n"),
    ("columns", "a,b\n1.5,\n"),
    ("columns", "a,b\n,2\n", GAP),
    ("columns", "a,b\n1.5,1_0\n"),
    ("columns", "a,b,c\n1.5,2,3\n", EXTRA),
    ("columns", "a;b\n1.5;2\n"),
    ("texts", 'question,context\n"Who, ""then""?\nSay",Ada.\n'),
    ("texts", "question,context\n1,true\n"),
    ("text", "prompt\nBread\nButter\n"),
    ("flags", "f,n,p\nTrue,1,0.5\nfalse,2,1e3\n"),
    ("flags", "f,n,p\n1,1.0,0.5\n"),
    ("flags", "f,n,p\nyes,1,0.5\n"),
    ("flags", "f,n,p\nTrue,1,inf\n", CAST),
    ("tensor", "u,v,w\n1,2,3\n"),
]
SENT_AS = [
    ("columns", f"{JSON}; charset=utf-8", {"instances": [RECORD]}),
    ("columns", f"{CSV}; charset=utf-8", "a,b\n1.5,2\n"),
    ("columns", "application/csv", "a,b\n1.5,2\n", (LENIENT, "the documented name")),
    ("columns", "text/plain", {"instances": [RECORD]}, TYPE),
    ("columns", "application/x-www-form-urlencoded", {"instances": [RECORD]}, TYPE),
    ("columns", "text/plain", "a,b\n1.5,2\n"),
    ("columns", "application/vnd.apache.parquet", "PAR1"),
]


def records(given):
    """What a model was given, as records."""
    if isinstance(given, pd.DataFrame):
        return given.to_dict(orient="records")
    if isinstance(given, dict):
        rows = zip(*given.values(), strict=False)
        return [dict(zip(given, row, strict=True)) for row in rows]
    return [{"input": row} for row in np.asarray(given)]


class Echo(mlflow.pyfunc.PythonModel):
    """Answers what it was given."""

    def predict(self, context, model_input, params=None):
        """See MLflow."""
        return records(model_input)


def ask(model, sent_as, body):
    """Status and text of the answer."""
    schema = model.metadata.get_input_schema()
    try:
        answer = scoring_server.invocations(body.encode(), sent_as, model, schema)
    except MlflowException as error:
        return error.get_http_status_code(), ""
    return answer.status, answer.response if answer.status == 200 else ""


def main():
    """Write ``answers.json`` beside this file."""
    warnings.simplefilter("ignore")
    models = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, schema in SCHEMAS.items():
            path = f"{folder}/{name}"
            signature = ModelSignature(schema)
            mlflow.pyfunc.save_model(
                path, python_model=Echo(), signature=signature, pip_requirements=[]
            )
            models[name] = mlflow.pyfunc.load_model(path)
    asked = [(model, JSON, *rest) for model, *rest in REQUESTS]
    asked += [(model, CSV, *rest) for model, *rest in TABLES]
    answers = []
    for name, sent_as, given, *differs in [*asked, *SENT_AS]:
        body = given if isinstance(given, str) else json.dumps(given)
        status, text = ask(models[name], sent_as, body)
        told = {"model": name, "sent_as": sent_as, "body": body, "status": status, "answer": text}
        told["differs"], told["why"] = differs[0] if differs else ("", "")
        answers.append(told)
    kept = {"mlflow": mlflow.__version__, "requests": answers}
    target = Path(__file__).with_name("answers.json")
    target.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
