"""The embedded metric format, by its specification."""

import json

import pytest

from halftone_local.emf import metrics_in


def document(**changes):
    metrics = [{"Name": "Latency", "Unit": "Milliseconds", "StorageResolution": 1}]
    directive = {"Namespace": "Halftone", "Dimensions": [["endpoint"]], "Metrics": metrics}
    return {
        "_aws": {"Timestamp": 1_700_000_000_123, "CloudWatchMetrics": [directive | changes]},
        "endpoint": "fraud",
        "version": "7",
        "Latency": 12.5,
        "Errors": 0,
    }


def test_a_metric_has_name_dimensions_unit_time_and_value():
    (metric,) = metrics_in(json.dumps(document()))
    assert metric.namespace == "Halftone"
    assert metric.name == "Latency"
    assert metric.dimensions == {"endpoint": "fraud"}
    assert metric.unit == "Milliseconds"
    assert metric.resolution == 1
    assert metric.time == 1_700_000_000.123
    assert metric.values == (12.5,)


def test_each_metric_appears_under_each_dimension_set():
    line = json.dumps(
        document(
            Dimensions=[[], ["endpoint"], ["endpoint", "version"]],
            Metrics=[{"Name": "Latency"}, {"Name": "Errors"}],
        )
    )
    pairs = {(m.name, tuple(m.dimensions)) for m in metrics_in(line)}
    sets = [(), ("endpoint",), ("endpoint", "version")]
    assert pairs == {(name, names) for name in ("Latency", "Errors") for names in sets}
    assert {(m.unit, m.resolution) for m in metrics_in(line)} == {("None", 60)}


def test_an_array_is_that_many_values():
    line = json.dumps(document() | {"Latency": [1, 2, 3]})
    assert metrics_in(line)[0].values == (1.0, 2.0, 3.0)


BROKEN = {
    "no json": "{_aws",
    "a json list": '["_aws"]',
    "no metadata": '{"x": "_aws"}',
    "metadata of another kind": '{"_aws": 1}',
    "no namespace": json.dumps(document(Namespace="")),
    "no timestamp": json.dumps({**document(), "_aws": {"CloudWatchMetrics": []}}),
    "dimension without a member": json.dumps(document(Dimensions=[["region"]])),
    "dimension that is no text": json.dumps(document(Dimensions=[["Errors"]])),
    "metric without a member": json.dumps(document(Metrics=[{"Name": "Nothing"}])),
    "metric that is text": json.dumps(document(Metrics=[{"Name": "version"}])),
    "metric that is true": json.dumps(document() | {"Latency": True}),
    "no values": json.dumps(document() | {"Latency": []}),
    "more than 100 values": json.dumps(document() | {"Latency": [1] * 101}),
    "more than 30 dimensions": json.dumps(
        document(Dimensions=[[f"d{n}" for n in range(31)]]) | {f"d{n}": "x" for n in range(31)}
    ),
    "a resolution of 10": json.dumps(
        document(Metrics=[{"Name": "Latency", "StorageResolution": 10}])
    ),
    "a resolution that is a list": json.dumps(
        document(Metrics=[{"Name": "Latency", "StorageResolution": []}])
    ),
    "a value that is no number of JSON": json.dumps(document() | {"Latency": float("nan")}),
    "a value above what CloudWatch takes": json.dumps(document() | {"Latency": 1e109}),
    "a whole number above all floats": json.dumps(document() | {"Latency": 10**309}),
    "a time above all floats": json.dumps({**document(), "_aws": {"Timestamp": 10**400}}),
}


def test_the_name_of_the_metadata_may_be_spelled_by_escapes():
    line = json.dumps(document())
    assert metrics_in(line.replace('"_aws"', '"\\u005faws"')) == metrics_in(line) != []


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_a_line_that_breaks_the_specification_makes_no_metric(line):
    assert metrics_in(line) == []
