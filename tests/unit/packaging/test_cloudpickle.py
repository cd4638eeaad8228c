"""A model by cloudpickle is packaged for the Python that wrote it, and for no other."""

import pytest

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.target import Runtime, Target
from halftone.packaging.mlflow_folder import check_python

SAVED = "flavors: {python_function: {loader_module: x, python_version: 3.12.4}}\n"


def test_another_python_is_refused_with_the_right_runtime(tmp_path):
    (tmp_path / "MLmodel").write_text(SAVED)
    check_python(tmp_path / "MLmodel", Target(Runtime.PYTHON_3_12))
    with pytest.raises(InvalidPackage) as caught:
        check_python(tmp_path / "MLmodel", Target(Runtime.PYTHON_3_13))
    assert (caught.value.field, caught.value.value) == ("python_version", "3.12.4")
    assert "--runtime python3.12" in caught.value.expected
