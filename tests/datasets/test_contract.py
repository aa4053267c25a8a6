"""What every name in the table of data sources owes, whoever wrote it."""

import dataclasses
import inspect
import subprocess
import sys

import pytest

from windtunnel.builtins import DATASETS
from windtunnel.core import canonical
from windtunnel.core.configured import Configured
from windtunnel.core.dataset import DataSource
from windtunnel.datasets.source import SplittingSource

REQUIRED = {
    "folder": {"path": "some/images"},
    "table": {"path": "some/table.csv"},
    "torchvision": {"name": "CIFAR10", "root": "some/root"},
    "text-table": {"path": "some/table.csv"},
    "huggingface": {"name": "someone/something"},
    "huggingface-text": {"name": "someone/something"},
}
"""Arguments that have no default."""

NAMES = sorted(DATASETS)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_frozen_configured_dataclass_that_knows_its_name(name):
    source = DATASETS.load(name)
    assert issubclass(source, DataSource)
    assert issubclass(source, Configured)
    assert source.use == name
    made = source(**REQUIRED.get(name, {}))
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.seed = 3
    assert made.title
    assert hash(made) == hash(source(**REQUIRED.get(name, {})))


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_rebuilt_from_the_arguments_it_records(name):
    source = DATASETS.load(name)
    changed = {"seed": 7, "fractions": (0.5, 0.25, 0.25)} if issubclass(source, SplittingSource) else {"partial": True}
    made = source(**REQUIRED.get(name, {}), **changed)
    assert made.describe()["use"] == name
    assert {argument: made.arguments()[argument] for argument in changed} == canonical.plain(changed)
    assert source(**made.arguments()) == made


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_argument_is_refused(name):
    with pytest.raises(ValueError, match="fracshuns"):
        DATASETS.load(name)(**REQUIRED.get(name, {}), fracshuns=1)


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_is_in_its_docstring(name):
    source = DATASETS.load(name)
    text = inspect.getdoc(source)
    missing = [field.name for field in dataclasses.fields(source) if field.name not in text.partition("Args:")[2]]
    assert missing == []
    assert source.load.__doc__
    assert source.stamp.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_a_stamp_is_a_short_text_that_repeats(name):
    made = DATASETS.load(name)(**REQUIRED.get(name, {}))
    assert made.stamp() == made.stamp()
    assert 0 < len(made.stamp()) < 200


LIGHT = """
import sys
from windtunnel.builtins import DATASETS
for name, arguments in {cases!r}:
    DATASETS.load(name)(**arguments).stamp()
print(sorted({{"torch", "torchvision", "sklearn", "mlxtend", "PIL", "datasets", "pandas", "pyarrow"}} & set(sys.modules)))
"""


def test_importing_constructing_and_stamping_all_of_them_loads_nothing_heavy():
    code = LIGHT.format(cases=[(name, REQUIRED.get(name, {})) for name in NAMES])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr
