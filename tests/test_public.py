"""What the package promises: its public names, its cheap import, its documentation."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import spicealif

MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(spicealif.__path__, "spicealif.")
    if not any(part.startswith("_") for part in m.name.split("."))
)


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, spicealif, spicealif.cli\n"
        "heavy = 'matplotlib numba PySpice xarray numpy pydantic rich scipy'.split()\n"
        "print(sorted(set(heavy) & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_comparing_does_not_load_xarray_or_matplotlib():
    code = (
        "import sys\n"
        "from spicealif import load_preset, solve_reference, compare\n"
        "r = solve_reference(load_preset('lif').replace(t_stop=1e-3))\n"
        "str(compare(r, r))\n"
        "print(sorted({'matplotlib', 'xarray', 'PySpice'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_every_public_name_can_be_loaded_and_is_listed():
    assert sorted(spicealif.__all__) == list(spicealif.__all__)
    for name in spicealif.__all__:
        assert getattr(spicealif, name) is not None
        assert name in dir(spicealif)
    assert {n for n in spicealif.__all__ if n != "__version__"} == set(spicealif._HOME)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = spicealif.nothing


@pytest.mark.parametrize("name", MODULES)
def test_modules_list_what_they_export_and_it_is_documented(name):
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    exported = module.__all__
    for public in exported:
        value = getattr(module, public)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), f"{name}.{public} has no docstring"
    # What a module defines without an underscore must be exported on purpose.
    defined = {
        n
        for n, v in vars(module).items()
        if not n.startswith("_")
        and (inspect.isclass(v) or inspect.isfunction(v))
        and getattr(v, "__module__", None) == name
    }
    assert defined <= set(exported)


def test_no_exported_name_is_also_a_submodule():
    """Importing a submodule sets it as the package's attribute, over any export of its name."""
    submodules = {name.split(".")[1] for name in MODULES}
    assert not submodules & set(spicealif._HOME)


def test_names_mean_the_same_in_any_order_of_import():
    code = (
        "import spicealif.plots, spicealif.cosim\n"
        "from spicealif import Comparison, compare, cosimulate, solve_reference\n"
        "print(all(callable(f) for f in (compare, cosimulate, solve_reference)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "True"


def test_version_is_the_one_of_the_metadata():
    from importlib import metadata

    assert spicealif.__version__ == metadata.version("spicealif")
