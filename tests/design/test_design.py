"""The design: hysteresis network, refusals, quantities, files, presets, digest."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spicealif.design import (
    Comparator,
    DifferenceAmplifier,
    Hysteresis,
    IdealComparator,
    IdealDifferenceAmplifier,
    IdealMosfet,
    IdealOpAmp,
    Memristor,
    Mosfet,
    Neuron,
    Numerics,
    PiecewiseLinear,
    PulseTrain,
    Resistor,
    Sine,
    dump_toml,
    load_preset,
    load_toml,
    nearest_in_series,
    parse_quantity,
    parse_toml,
    preset_names,
    save_toml,
    schema,
)
from spicealif.errors import DesignError, OutputError

PAPER = load_preset("paper")

# IEC 60063:2015, typed in from the standard's tables.
E24 = [10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82]
E24 += [91]
E96 = [100, 102, 105, 107, 110, 113, 115, 118, 121, 124, 127, 130, 133, 137, 140, 143, 147, 150]
E96 += [154, 158, 162, 165, 169, 174, 178, 182, 187, 191, 196, 200, 205, 210, 215, 221, 226, 232]
E96 += [237, 243, 249, 255, 261, 267, 274, 280, 287, 294, 301, 309, 316, 324, 332, 340, 348, 357]
E96 += [365, 374, 383, 392, 402, 412, 422, 432, 442, 453, 464, 475, 487, 499, 511, 523, 536, 549]
E96 += [562, 576, 590, 604, 619, 634, 649, 665, 681, 698, 715, 732, 750, 768, 787, 806, 825, 845]
E96 += [866, 887, 909, 931, 953, 976]
SERIES = {"E24": [v / 10 for v in E24], "E96": [v / 100 for v in E96]}


def leaves(data: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Give (dotted name, value) of every number; bools and texts are left out."""
    for key, value in data.items():
        name = f"{path}{key}"
        if isinstance(value, dict):
            yield from leaves(value, f"{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value


def one_sentence(error: BaseException) -> str:
    text = str(error)
    assert text.endswith(".")
    assert len(text.splitlines()) == 1
    return text


# --- hysteresis network -------------------------------------------------------------------------


@given(
    v_low=st.floats(1e-3, 3),
    span=st.floats(1e-3, 3),
    v_ol=st.floats(-5, 1),
    swing=st.floats(0.1, 10),
    r_a=st.floats(1, 1e6),
    series=st.sampled_from([None, "E24", "E96"]),
)
def test_network_switches_at_its_thresholds(
    v_low: float, span: float, v_ol: float, swing: float, r_a: float, series: Any
) -> None:
    v_high, v_oh = v_low + span, v_ol + swing
    network = Hysteresis(r_a=r_a, series=series).solve(v_high, v_low, v_oh, v_ol)
    r_a, r_b, v_ref = network.r_a, network.r_b, network.v_ref
    scale = v_high + abs(v_ol) + swing
    # The closed formulas of the circuit ...
    assert network.v_high == pytest.approx((v_ref * (r_a + r_b) - v_ol * r_a) / r_b)
    assert network.v_low == pytest.approx((v_ref * (r_a + r_b) - v_oh * r_a) / r_b, abs=1e-9)
    # ... which are Kirchhoff's law: the divider between input and output stands at v_ref there.
    for v_in, v_out in ((network.v_high, v_ol), (network.v_low, v_oh)):
        v_cp = (v_in * r_b + v_out * r_a) / (r_a + r_b)
        assert v_cp == pytest.approx(v_ref, abs=1e-12 * scale)
    assert network.v_high == pytest.approx(v_high, abs=1e-9 * scale)
    if series is None:
        assert network.v_low == pytest.approx(v_low, abs=1e-9 * scale)
    else:
        assert network.v_high - network.v_low == pytest.approx(swing * r_a / r_b, rel=1e-6)


def test_network_of_the_paper_preset_by_hand() -> None:
    network = PAPER.network
    # r_b with the output's 180 ohm = 1 kohm (3.80 - 0.018) / (0.4 - 0.05)
    r_f = 3782 / 0.35
    assert network.r_b == pytest.approx(r_f - 180)
    assert network.v_ref == pytest.approx((0.4 * r_f + 0.018 * 1000) / (r_f + 1000))
    # As a discharge begins, 180 ohm carry what the 3.80 V drive into 0.4 V.
    assert PAPER.v_gate == pytest.approx(3.80 - 180 * 3.4 / (r_f + 1000))
    assert (network.v_high, network.v_low) == pytest.approx((0.4, 0.05))


def test_gain_scales_the_thresholds() -> None:
    amplified = PAPER.replace({"difference_amplifier.gain": 2.5})
    assert amplified.network.v_high == pytest.approx(1.0)
    assert amplified.network.v_low == pytest.approx(0.125)


@pytest.mark.parametrize("series", ["E24", "E96"])
def test_every_listed_value_is_its_own_nearest(series: Any) -> None:
    for decade in (1e-3, 1.0, 1e3, 1e6):
        for value in SERIES[series]:
            assert nearest_in_series(value * decade, series) == pytest.approx(value * decade)


@given(value=st.floats(1e-3, 1e9), series=st.sampled_from(["E24", "E96"]))
@example(value=9.99, series="E24")
@example(value=9.77, series="E96")
@example(value=1000.0, series="E24")
def test_no_value_of_the_series_is_nearer(value: float, series: Any) -> None:
    got = nearest_in_series(value, series)
    nearest = min(abs(math.log(m * 10.0**k / value)) for m in SERIES[series] for k in range(-4, 11))
    assert abs(math.log(got / value)) == pytest.approx(nearest, abs=1e-5)


@pytest.mark.parametrize("series", ["E24", "E96"])
def test_rounded_resistors_are_of_the_series_and_the_thresholds_follow(series: Any) -> None:
    neuron = PAPER.replace({"hysteresis.series": series, "hysteresis.r_a": 1234})
    for r in (neuron.network.r_a, neuron.network.r_b):
        mantissa = r / 10.0 ** math.floor(math.log10(r))
        assert any(mantissa == pytest.approx(m) for m in SERIES[series])
    span = (3.80 - 0.018) * neuron.network.r_a / (neuron.network.r_b + 180)
    assert neuron.network.v_high == pytest.approx(0.4)
    assert neuron.network.v_low == pytest.approx(0.4 - span)
    assert neuron.network.v_low != pytest.approx(0.05, rel=1e-3)


def test_schmitt_reference_discharges_to_the_threshold_that_results() -> None:
    from spicealif import solve_reference

    neuron = PAPER.replace({"hysteresis.series": "E24", "t_stop": "0.3m", "v_low": 0.045})
    assert neuron.network.v_low < 0.03  # far enough from 0.045 V to tell the two apart
    waveforms = solve_reference(neuron, "schmitt")
    assert len(waveforms.t_spike)
    after = waveforms["v_mem"][waveforms.time > waveforms.t_spike[0]]
    # The comparator's delay lets it fall a little further.
    assert after.min() == pytest.approx(neuron.network.v_low, abs=3e-3)


# --- refusals -----------------------------------------------------------------------------------

LATCHING = {
    "zero": ({"v_low": 0}, "raise v_low"),
    "negative": ({"v_low": -0.1}, "raise v_low"),
    "not below v_th": ({"v_low": 0.4}, "lower v_low"),
    "above v_th": ({"v_low": 0.5}, "raise v_th"),
    "rounding": (
        {"v_low": 0.001, "v_th": 0.4, "hysteresis.series": "E24"},
        "raise v_low, or use a finer series",
    ),
    "current": ({"stimulus.amplitude": 0.1}, "lower the current"),
    "current, by v_low": ({"stimulus.amplitude": 0.1}, "raise v_low"),
    "weak MOSFET": ({"mosfet.r_s": 100}, "lower on-resistance"),
    "gate too low": ({"mosfet.v_to": 4}, "raise comparator.v_oh"),
    "gate never low": ({"comparator.v_ol": 2.3}, "lower comparator.v_ol"),
    "reset above threshold": ({"v_reset": 1.0}, "lower v_reset"),
    "levels exchanged": ({"comparator.v_oh": 0.01}, "exchange them"),
    "op-amp's rail": ({"supplies.v_pos": 1.8}, "raise supplies.v_pos"),
    "comparator's input range": ({"supplies.v_comparator": 2.4}, "raise supplies.v_comparator"),
    "comparator's output": ({"supplies.v_comparator": 3.5}, "lower v_oh"),
    "length": ({"t_stop": 1e6}, "shorten the run"),
    "r_on above r_off": ({"leak.r_on": 2000}, "exchange them"),
}


@pytest.mark.parametrize("case", LATCHING)
def test_a_neuron_that_would_not_work_is_refused(case: str) -> None:
    changes, remedy = LATCHING[case]
    with pytest.raises(DesignError) as caught:
        PAPER.replace(changes)
    assert remedy in one_sentence(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_current_just_below_the_latch_is_accepted() -> None:
    # What counts is the threshold that the real comparator has, not the 0.05 V asked for.
    neuron = PAPER.replace({"stimulus.amplitude": 14e-3})
    v_hold = 14e-3 / (1 / neuron.r_ds_on + 1 / 1000) * 1500 / 2000
    low = neuron.effective_thresholds[1]
    assert v_hold < low
    with pytest.raises(DesignError, match="latch"):
        PAPER.replace({"stimulus.amplitude": 14e-3 * low / v_hold * 1.001})


@pytest.mark.parametrize(
    "changes", [{"r": 5e-324, "gain": 0.5}, {"r": 1, "gain": 1e-9}, {"r": 1e16}]
)
def test_a_difference_amplifier_of_wires_or_gaps_is_refused(changes: dict[str, float]) -> None:
    """A product of two ordinary numbers may be 0, which no netlist can have."""
    of = {f"difference_amplifier.{name}": value for name, value in changes.items()}
    with pytest.raises(DesignError, match=r"resistors of the difference amplifier are .* and gain"):
        PAPER.replace(of)


def test_resting_voltage_counts_for_the_latch() -> None:
    # The MOSFET pulls v_c to about 0, which leaves most of 20 V across the leak device.
    with pytest.raises(DesignError, match="latch"):
        PAPER.replace({"v_rest": -20.0, "v_reset": -20.0})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"c": 0}, ["c = 0", "greater than 0"]),
        ({"c": -1e-7}, ["c = -1e-07", "greater than 0"]),
        ({"c": math.nan}, ["c = nan", "finite"]),
        ({"c": math.inf}, ["c = inf", "finite"]),
        ({"c": "nan"}, ["c = ", "finite"]),
        ({"c": True}, ["c is True", "not a number"]),
        ({"c": [1]}, ["c is a list", "not a number"]),
        ({"c": None}, ["c is missing"]),
        ({"leak.tau": 0}, ["leak.tau", "greater than 0"]),
        ({"leak.x_0": 1.1}, ["leak.x_0", "1 or less"]),
        ({"temperature": 0}, ["temperature", "greater than 1"]),
        ({"stimulus.duty": 0}, ["stimulus.duty", "greater than 0"]),
        ({"stimulus.duty": 1}, ["stimulus.duty", "less than 1"]),
        ({"stimulus.n_pulses": 0}, ["stimulus.n_pulses", "1 or more"]),
        ({"stimulus.t_rise": 6e-4}, ["edges", "shorten them"]),
        ({"tempreature": 300}, ["tempreature", "did you mean 'temperature'"]),
        ({"leak.tao": 1}, ["'tao' in leak", "did you mean 'tau'"]),
        ({"difference_amplifier.opamp.gian": 1}, ["difference_amplifier.opamp", "known keys"]),
        ({"stimulus.kind": "saw"}, ["'saw' is not a kind of stimulus", "'pulse'"]),
        ({"numerics.method": "euler"}, ["numerics.method", "'trap' or 'gear'"]),
        ({"hysteresis.series": "E12"}, ["hysteresis.series", "'E24' or 'E96'"]),
        ({"name": "two words"}, ["name", "letters, digits and underscores"]),
        ({"name": "ends\n"}, ["name", "letters, digits and underscores"]),
        ({"name": "1st"}, ["name", "letters, digits and underscores"]),
        ({"name": "x" * 65}, ["name"]),
        ({"leak": 3}, ["leak = 3"]),
        ({"c.x": 3}, ["'c' is a single value"]),
    ],
)
def test_a_bad_value_is_named(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(DesignError) as caught:
        PAPER.replace(changes)
    text = one_sentence(caught.value)
    assert all(word in text for word in words), text


def test_a_constructor_called_directly_raises_the_same_sentence() -> None:
    with pytest.raises(
        DesignError, match=r"^tau = -1(\.0)? must be greater than 0; give such a value\.$"
    ):
        Memristor(r_on=1, r_off=2, v_on=0.2, v_off=0.2, tau=-1)
    with pytest.raises(DesignError, match="more like this"):
        Memristor(r_on=-1, r_off=2, v_on=0.2, v_off=0.2, tau=-1)


@pytest.mark.parametrize("key", ["c", "t_stop", "stimulus.frequency", "leak.r_off"])
def test_an_integer_beyond_floats_is_refused(key: str) -> None:
    # TOML's integers have no limit.
    with pytest.raises(DesignError) as caught:
        PAPER.replace({key: 10**400})
    one_sentence(caught.value)


def test_a_pulse_rate_beyond_floats_is_refused() -> None:
    with pytest.raises(DesignError, match="pulses"):
        PAPER.replace(
            {
                "stimulus.frequency": 1e308,
                "stimulus.t_rise": 0,
                "stimulus.t_fall": 0,
                "t_stop": 100,
            }
        )


# --- quantities ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("4.7k", "ohm", 4700),
        ("4.7 k", "ohm", 4700),
        ("4.7 kohm", "ohm", 4700),
        ("4.7 kΩ", "ohm", 4700),
        ("4.7 k\u2126", "ohm", 4700),  # the ohm sign, another character than omega
        ("100 nF", "F", 1e-7),
        ("100n", "F", 1e-7),
        ("0.1 uF", "F", 1e-7),
        ("0.1 µF", "F", 1e-7),  # micro sign
        ("0.1 μF", "F", 1e-7),  # Greek mu
        ("1 F", "F", 1),
        ("1M", "ohm", 1e6),
        ("1m", "ohm", 1e-3),
        ("1 MHz", "Hz", 1e6),
        ("9 MV/s", "V/s", 9e6),
        ("2 mS", "S", 2e-3),
        ("-5 mV", "V", -5e-3),
        ("1e-7", "F", 1e-7),
        ("300 K", "K", 300),
        ("300K", "K", 300),
        ("25 °C", "K", 298.15),
        ("6K34", "ohm", 6340),  # SPICE reads 6000 here and there
        ("4R7", "ohm", 4.7),
        ("1meg", "ohm", 1e6),
        ("1 Meg", "ohm", 1e6),
        ("298.5", "K", 298.5),
        (3, "", 3),
        (2.5, "V", 2.5),
    ],
)
def test_quantities(text: Any, unit: str, value: float) -> None:
    got = parse_quantity(text, unit)
    assert got == pytest.approx(value, rel=1e-15)
    assert type(got) is float


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("100 nH", "F"),
        ("1 V", "A"),
        ("5 s", ""),
        ("5 min", "s"),
        ("0x10", ""),
        ("", ""),
        ("k", "ohm"),
        ("many", "ohm"),
        ("1;2", ""),
        (True, ""),
        (False, ""),
        (None, ""),
        ([1], ""),
        ({}, ""),
    ],
)
def test_what_is_no_quantity(text: Any, unit: str) -> None:
    with pytest.raises(ValueError, match=r"give|write"):
        parse_quantity(text, unit)


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_text_is_the_number(value: float) -> None:
    assert parse_quantity(repr(value)) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "1e999", math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(bad: Any) -> None:
    with pytest.raises(DesignError, match="not finite; give a finite number"):
        Resistor(r=bad)


def test_texts_reach_every_depth() -> None:
    neuron = PAPER.replace({"difference_amplifier.opamp.c_in": "7 pF", "stimulus.t_rise": "20n"})
    assert neuron.difference_amplifier.opamp.c_in == 7e-12
    assert neuron.stimulus.t_rise == 20e-9


# --- frozen, equal, hashable, copied ------------------------------------------------------------


def test_frozen() -> None:
    with pytest.raises(DesignError, match="c cannot be changed in place"):
        PAPER.c = 1e-6
    with pytest.raises(DesignError, match="cannot be changed in place"):
        PAPER.leak.tau = 1.0
    with pytest.raises(Exception, match=r"frozen|change"):
        del PAPER.c
    assert PAPER.c == 1e-7


def test_pickle_and_copy() -> None:
    used = PAPER.replace(t_stop=0.01)
    _ = (used.digest, used.network, used.ideal_feedback)  # what is cached must not be in the way
    fresh = PAPER.replace(t_stop=0.01)
    twins = (pickle.loads(pickle.dumps(used)), copy.copy(used), copy.deepcopy(used), fresh)
    for twin in twins:
        assert twin == used
        assert hash(twin) == hash(used)
        assert twin.digest == used.digest
        assert twin.network == used.network
        with pytest.raises(DesignError):
            twin.c = 1.0
    assert used != PAPER


def test_replace_makes_a_new_one_and_none_means_default() -> None:
    changed = PAPER.replace({"numerics.h": 1e-6}, c="220n")
    assert (changed.numerics.h, changed.c, PAPER.c) == (1e-6, 2.2e-7, 1e-7)
    assert changed.replace({"numerics.h": None}).numerics.h is None
    assert PAPER.replace(leak=Resistor(r=1500)).leak == Resistor(r=1500)


# --- presets and files --------------------------------------------------------------------------


@pytest.mark.parametrize("name", preset_names())
def test_preset(name: str, tmp_path: Path) -> None:
    neuron = load_preset(name)
    assert neuron.source.strip()
    assert neuron.description.strip()
    assert "reconstruction" in neuron.source  # the paper gives no values; that must be seen
    assert parse_toml(dump_toml(neuron)) == neuron
    assert load_toml(save_toml(neuron, tmp_path / "n.toml")) == neuron
    assert Neuron.from_dict(json.loads(json.dumps(neuron.to_dict()))) == neuron
    assert neuron.ideal().replace() == neuron.ideal()


def test_preset_names_and_unknown_preset() -> None:
    assert {"paper", "lif", "knowm-generic"} <= set(preset_names())
    with pytest.raises(DesignError, match="choose one of"):
        load_preset("nothing")
    with pytest.raises(DesignError, match="choose one of"):
        load_preset("../presets/paper")


def current() -> st.SearchStrategy[float]:
    return st.floats(1e-6, 5e-3)


@st.composite
def stimuli(draw: st.DrawFn, depth: int = 0) -> dict[str, Any]:
    kinds = ["constant", "step", "pulse", "sine", "pwl", *(["sum"] if depth == 0 else [])]
    kind = draw(st.sampled_from(kinds))
    if kind == "sum":
        return {"kind": kind, "terms": draw(st.lists(stimuli(1), min_size=1, max_size=2))}
    if kind == "pwl":
        # Whole nanoseconds: between times that are nearer than numbers allow a slope is refused.
        t = sorted(1e-9 * k for k in draw(st.sets(st.integers(0, 10**8), min_size=1, max_size=5)))
        return {"kind": kind, "t": t, "i": [draw(current()) for _ in t]}
    out: dict[str, Any] = {"kind": kind, "amplitude": draw(current())}
    if kind != "constant":
        out["delay"] = draw(st.floats(0, 0.1))
    if kind in ("pulse", "sine"):
        out["frequency"] = draw(st.floats(1, 1e4))
    if kind == "sine":
        out["phase"] = draw(st.floats(-10, 10))
    if kind == "pulse":
        out["duty"] = draw(st.floats(0.1, 0.9))
        if draw(st.booleans()):
            out["n_pulses"] = draw(st.integers(1, 1000))
    return out


@st.composite
def neurons(draw: st.DrawFn) -> Neuron:
    data: dict[str, Any] = {
        "name": draw(st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,20}\Z")),
        "description": draw(st.text(max_size=50)),
        "source": draw(st.text(max_size=50)),
        "c": draw(st.floats(1e-9, 1e-5)),
        "r_s": draw(st.floats(0, 1e4)),
        "v_th": draw(st.floats(0.35, 0.8)),
        "v_low": draw(st.floats(0.1, 0.3)),
        "v_reset": draw(st.floats(-0.3, 0.3)),
        "t_ref": draw(st.floats(0, 1e-3)),
        "t_stop": draw(st.floats(1e-6, 0.05)),
        "temperature": draw(st.floats(200, 400)),
        "stimulus": draw(stimuli()),
        "numerics": {
            "steering": draw(st.booleans()),
            "method": draw(st.sampled_from(["trap", "gear"])),
        },
    }
    if draw(st.booleans()):
        data["leak"] = {"kind": "resistor", "r": draw(st.floats(100, 1e6))}
    else:
        r_on = draw(st.floats(100, 1e5))
        data["leak"] = {
            "kind": "memristor",
            "r_on": r_on,
            "r_off": r_on * draw(st.floats(1, 100)),
            "v_on": draw(st.floats(-1, 1)),
            "v_off": draw(st.floats(-1, 1)),
            "tau": draw(st.floats(1e-5, 10)),
            "x_0": draw(st.floats(0, 1)),
        }
    if draw(st.booleans()):
        # Below what RK4 can follow, the smallest C R of these being 1e-9 F * 100 ohm.
        data["numerics"]["h"] = draw(st.floats(1e-8, 1e-7))
    if draw(st.booleans()):
        data["hysteresis"] = {"series": draw(st.sampled_from(["E24", "E96"]))}
    neuron = Neuron.from_dict(data)
    return neuron.ideal() if draw(st.booleans()) else neuron


@settings(max_examples=60, deadline=None)
@given(neuron=neurons())
def test_toml_round_trip(neuron: Neuron) -> None:
    again = parse_toml(dump_toml(neuron))
    assert again == neuron
    assert again.digest == neuron.digest
    assert dump_toml(again) == dump_toml(neuron)


def test_a_file_takes_the_rest_from_a_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('preset = "paper"\nname = "mine"\nc = "220 nF"\n[leak]\ntau = "2m"\n')
    mine = load_toml(path)
    assert mine.digest == PAPER.replace({"c": 2.2e-7, "leak.tau": 2e-3}).digest
    # the preset's own words are not true of it
    assert (mine.name, mine.description) == ("mine", "paper, changed: c, leak.")
    assert mine.source == f"Of what was not changed: {PAPER.source}"
    path.write_text('preset = "paper"\nname = "same"\ndescription = "mine"\n')
    assert load_toml(path) == PAPER.replace(name="same", description="mine")


def test_a_table_of_another_kind_replaces_the_presets() -> None:
    neuron = parse_toml(
        """
        preset = "paper"
        leak = {kind = "resistor", r = "1.5k"}
        stimulus = {kind = "constant", amplitude = "0.5m"}
        difference_amplifier.opamp.kind = "ideal"
        comparator.kind = "ideal"
        mosfet = {kind = "ideal", r_ds_on = 5}
        """
    )
    assert neuron.leak == Resistor(r=1500)
    assert neuron.stimulus.kind == "constant"
    # The amplifier kept its kind, so that only its op-amp is another one, with its defaults.
    assert neuron.difference_amplifier == DifferenceAmplifier(opamp=IdealOpAmp())
    assert neuron.comparator == IdealComparator()
    assert neuron.mosfet == IdealMosfet(r_ds_on=5)


def test_a_new_kind_does_not_inherit_values_of_the_old_one() -> None:
    with pytest.raises(DesignError, match=r"leak.*r.* is missing"):
        parse_toml('preset = "paper"\nleak.kind = "resistor"')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("c = ", "not valid TOML"),
        ('preset = "nothing"', "There is no preset 'nothing'"),
        ("preset = 5", "There is no preset '5'"),
        ("name = 'a'", "leak is missing"),
        ("[stimulus]\nfile = 'x.csv'\namplitude = 1", "remove amplitude"),
        ("[stimulus]\nfile = 'x.csv'\nkind = 'sine'", "remove the other kind"),
        ("[stimulus]\nfile = 'x.csv'\n\"a\\nb\" = 1", "remove"),
        ("[stimulus]\nfile = 'missing.csv'", "cannot be read"),
        ('[stimulus]\nfile = "a\\u0000b"', "cannot be read"),
        ("c = 1" + 5000 * "0", "digits|TOML|number"),
        ("a = " + 5000 * "[" + 5000 * "]", "TOML|nested"),
    ],
)
def test_bad_toml_is_one_sentence(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=words) as caught:
        parse_toml(text, folder=tmp_path)
    one_sentence(caught.value)


def test_a_file_name_cannot_break_the_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a\nb.toml"
    path.write_text("c = 1\n")
    with pytest.raises(DesignError) as caught:
        load_toml(path)
    one_sentence(caught.value)


def test_save_toml_below_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        save_toml(PAPER, tmp_path / "file" / "n.toml")


def test_a_csv_stimulus_is_looked_for_beside_the_toml_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "design"
    folder.mkdir()
    # with headings, a comment, Windows line ends, a byte order mark and a third column
    csv = "\ufefft,i,remark\r\n# measured\r\n0,0,a\r\n1e-3,5e-4,b\r\n\r\n2e-3,0\r\n"
    (folder / "i.csv").write_bytes(csv.encode())
    (folder / "n.toml").write_text('preset = "paper"\n[stimulus]\nfile = "i.csv"\n')
    monkeypatch.chdir(tmp_path)
    neuron = load_toml("design/n.toml")
    assert neuron.stimulus == PiecewiseLinear(t=(0, 1e-3, 2e-3), i=(0, 5e-4, 0))
    # what is saved needs the CSV no more
    assert load_toml(save_toml(neuron, tmp_path / "flat.toml")) == neuron


@pytest.mark.parametrize(
    ("csv", "words"),
    [
        (b"t,i\n0,0\n1,x\n", "Line 3"),
        (b"0,0\n1\n", "Line 2"),
        (b"", "empty"),
        (b"t,i\n", "no table of numbers"),
        (b"0,0\n0,1\n", "line 2"),
        (b"0,0\n1,nan\n", "not finite"),
        (b"-1,0\n1,0\n", "add 1 s to all times"),
        (b"0,0\n1,\xff\n", "Line 2"),
    ],
)
def test_a_bad_csv_is_one_sentence(csv: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_bytes(csv)
    with pytest.raises(DesignError, match=words) as caught:
        PiecewiseLinear.from_csv(tmp_path / "i.csv")
    one_sentence(caught.value)


# --- JSON Schema --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def validator() -> Any:
    import jsonschema

    data = json.loads(json.dumps(schema()))
    jsonschema.Draft202012Validator.check_schema(data)
    return jsonschema.Draft202012Validator(data)


@pytest.mark.parametrize("name", preset_names())
def test_schema_accepts_the_presets(validator: Any, name: str) -> None:
    for neuron in (load_preset(name), load_preset(name).ideal()):
        validator.validate(neuron.to_dict())
        for part in ("leak", "stimulus", "comparator", "mosfet", "difference_amplifier"):
            assert validator.is_valid(neuron.to_dict())
            assert not validator.is_valid(_with(neuron.to_dict(), f"{part}.unknown", 1))


def test_schema_accepts_texts_and_rejects_what_is_wrong(validator: Any) -> None:
    data = PAPER.to_dict()
    assert validator.is_valid(_with(data, "c", "100 nF"))
    for name, value in [
        ("unknown", 1),
        ("numerics.unknown", 1),
        ("difference_amplifier.opamp.unknown", 1),
        ("c", None),
        ("c", [1]),
        ("name", "two words"),
        ("leak.kind", "inductor"),
        ("numerics.method", "euler"),
    ]:
        assert not validator.is_valid(_with(data, name, value)), name
    del data["c"]
    assert not validator.is_valid(data)


def test_schema_states_the_unit_of_every_quantity() -> None:
    defs = schema()["$defs"]
    assert defs["Memristor"]["properties"]["tau"]["unit"] == "s"
    assert schema()["properties"]["c"]["unit"] == "F"
    for model in (schema(), *defs.values()):
        for name, field in model["properties"].items():
            numeric = {"type": "number"} in field.get("anyOf", [])
            assert not numeric or "unit" in field or "anyOf" in str(field), name
            assert name == "kind" or "description" in field or "$ref" in str(field), name


def _with(data: dict[str, Any], dotted: str, value: Any) -> dict[str, Any]:
    out = copy.deepcopy(data)
    *path, last = dotted.split(".")
    target = out
    for step in path:
        target = target[step]
    target[last] = value
    return out


# --- digest -------------------------------------------------------------------------------------

FULL = PAPER.replace({"numerics.h": 1e-6, "stimulus.n_pulses": 3})
EXAMPLES = {"real": FULL, "ideal": FULL.ideal(), "lif": load_preset("lif")}


@pytest.mark.parametrize("which", EXAMPLES)
def test_digest_changes_with_every_number(which: str) -> None:
    neuron = EXAMPLES[which]
    digests = {neuron.digest}
    names = [name for name, _ in leaves(neuron.to_dict())]
    for name, value in leaves(neuron.to_dict()):
        digests.add(neuron.replace({name: nudged(value)}).digest)
    assert len(digests) == len(names) + 1


def nudged(value: float) -> float:
    """Give a value that differs little, so that the neuron still works."""
    return value + 1 if isinstance(value, int) else value * (1 + 1e-9) or 1e-9


def test_digest_changes_with_choices_and_not_with_texts() -> None:
    same = PAPER.replace(name="other", description="other", source="other")
    assert same.digest == PAPER.digest
    assert len(PAPER.digest) == 64
    for changes in (
        {"numerics.steering": False},
        {"numerics.method": "gear"},
        {"hysteresis.series": "E96"},
        {"stimulus.n_pulses": 4},
        {"difference_amplifier.opamp": {"kind": "ideal"}},
    ):
        assert PAPER.replace(changes).digest != PAPER.digest


def test_digest_does_not_depend_on_how_a_value_was_written() -> None:
    assert PAPER.replace(c="100 nF").digest == PAPER.replace(c=1e-7).digest
    assert PAPER.replace(t_stop=1).digest == PAPER.replace(t_stop=1.0).digest


# --- derived values -----------------------------------------------------------------------------


def test_ideal_takes_the_ideal_variant_of_every_part() -> None:
    neuron = PAPER.replace({"difference_amplifier.gain": 2})
    ideal = neuron.ideal()
    assert isinstance(ideal.difference_amplifier, IdealDifferenceAmplifier)
    assert isinstance(ideal.comparator, IdealComparator)
    assert isinstance(ideal.mosfet, IdealMosfet)
    assert ideal.difference_amplifier.gain == 2
    for name in ("v_oh", "v_ol"):
        assert getattr(ideal.comparator, name) == getattr(neuron.comparator, name)
    assert ideal.r_ds_on == pytest.approx(neuron.r_ds_on)
    rest = {"difference_amplifier", "comparator", "mosfet"}
    for name in set(Neuron.model_fields) - rest:
        assert getattr(ideal, name) == getattr(neuron, name)
    assert ideal.ideal() == ideal
    assert (ideal.network.v_high, ideal.network.v_low) == pytest.approx(
        (neuron.network.v_high, neuron.network.v_low)
    )


def test_thermal_voltage_and_default_step() -> None:
    # 25.85 mV at 300 K is in every textbook
    assert PAPER.replace(temperature=300).thermal_voltage == pytest.approx(25.852e-3, rel=1e-5)
    # min(5 ms, 100 nF (500 + 500) ohm) / 100
    assert PAPER.default_h == pytest.approx(1e-6)
    assert PAPER.replace({"leak.tau": 1e-5}).default_h == pytest.approx(1e-7)
    assert load_preset("lif").default_h == pytest.approx(1.5e-6)
    assert PAPER.replace({"numerics.h": 3e-7}).default_h == 3e-7


def test_delays() -> None:
    for comparator in (Comparator(), IdealComparator()):
        assert comparator.delay_to(0.5) == pytest.approx(comparator.t_delay)
        times = [comparator.delay_to(f) for f in (0.1, 0.3, 0.5, 0.7, 0.9)]
        assert all(a < b for a, b in pairwise(times))
    # one pole: 1 - exp(-t/T); two equal poles: 1 - (1 + t/T) exp(-t/T)
    one, two = IdealComparator().delay_to(0.8), Comparator().delay_to(0.8)
    assert 1 - math.exp(-one / (IdealComparator().t_delay / math.log(2))) == pytest.approx(0.8)
    u = two / (7e-9 / 1.67834699)
    assert 1 - (1 + u) * math.exp(-u) == pytest.approx(0.8)


def test_mosfet_on_resistance() -> None:
    mosfet = Mosfet()
    assert mosfet.on_resistance(3.74) == pytest.approx(0.901 + 1 / (0.46 * 1.55))
    assert mosfet.on_resistance(1.0) == math.inf
    assert mosfet.ideal(3.74).on_resistance(3.74) == pytest.approx(mosfet.on_resistance(3.74))


@given(share=st.floats(1e-4, 0.5), gain=st.floats(100, 1e7))
def test_the_ideal_comparators_tail_is_where_the_loop_gain_is_one(
    share: float, gain: float
) -> None:
    comparator = IdealComparator(gain=gain)
    tail = comparator.tail(share)
    if share * gain <= 1:
        assert tail == 0
        return
    # u(v) = drive + share * output(u): at the fold the slope of drive(u) = u - share f(u) is 0
    w = 5.0 / (2 * gain)
    u = -w * math.acosh(math.sqrt(share * gain))
    slope = 1 - share * gain / math.cosh(u / w) ** 2
    assert slope == pytest.approx(0, abs=1e-6)
    drive = u - share * 5.0 * (1 + math.tanh(u / w)) / 2
    assert tail == pytest.approx(-drive, rel=1e-6, abs=1e-12)


def test_numerics_and_parts_have_defaults() -> None:
    assert (Numerics().accuracy, Numerics().reltol, Numerics().safe_reltol) == (20e-9, None, 1e-8)
    assert Numerics(reltol="1e-6").safe_reltol == 1e-6
    pulse = PulseTrain(amplitude="1m", frequency="1k")
    assert (pulse.amplitude, pulse.frequency, pulse.duty) == (1e-3, 1e3, 0.5)
    assert Sine(amplitude=1, frequency=2).offset == 0


def test_schema_states_bounds_by_their_standard_names() -> None:
    properties = schema()["properties"]
    assert properties["c"]["exclusiveMinimum"] == 0
    assert properties["r_s"]["minimum"] == 0
    validator = jsonschema.Draft202012Validator(schema())
    good = load_preset("paper").to_dict()
    validator.validate(good)
    assert not validator.is_valid({**good, "c": -1e-7})
    assert validator.is_valid({**good, "c": "100n"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"supplies.v_neg": 0.0}, "lower supplies.v_neg"),
        ({"supplies.v_neg": -1.0}, "lower supplies.v_neg"),
        ({"hysteresis.r_a": 2e4}, "lower hysteresis.r_a"),
        ({"difference_amplifier.opamp.v_os": 4e-3, "v_low": 5e-3}, "the offsets"),
        ({"comparator.v_os": 0.06}, "the offsets"),
        ({"comparator.kind": "ideal", "comparator.gain": 100.0, "v_low": 0.39}, "comparator.gain"),
    ],
)
def test_real_parts_that_latch_are_refused(changes: dict[str, Any], words: str) -> None:
    """Each of these ran to its end without a single spike before it was refused."""
    with pytest.raises(DesignError, match=words):
        load_preset("paper").replace(changes)


def test_effective_thresholds_are_the_network_s_for_ideal_parts() -> None:
    ideal = load_preset("paper").ideal()
    assert ideal.effective_thresholds == pytest.approx((0.4, 0.05), rel=1e-12)
    high, low = load_preset("paper").effective_thresholds
    # 3 uA out of the comparator's input through r_a and r_b in parallel: 3 mV.
    assert 0.390 < high < 0.397
    assert 0.045 < low < 0.055


def test_another_kind_takes_its_own_fields() -> None:
    paper = load_preset("paper")
    assert isinstance(paper.replace({"mosfet.kind": "ideal"}).mosfet, IdealMosfet)
    plain = paper.replace({"leak.r": "1k", "leak.kind": "resistor"})
    assert plain.leak == Resistor(r=1000.0)
    same = paper.replace({"leak.kind": "memristor"})
    assert same == paper


def test_steps_resolve_a_fast_sine() -> None:
    fast = load_preset("paper").replace(
        {"t_stop": 1e-3},
        stimulus={"kind": "sine", "amplitude": 1e-3, "frequency": 1e6},
    )
    assert fast.default_h == pytest.approx(1e-8)
    assert fast.t_step_max == pytest.approx(1e-8)


def test_a_file_on_a_preset_does_not_go_by_the_preset_s_name(tmp_path: Path) -> None:
    path = tmp_path / "my wide-one.toml"
    path.write_text('preset = "paper"\nc = "220n"\n')
    assert load_toml(path).name == "my_wide_one"
    path.write_text('preset = "paper"\nname = "given"\n')
    assert load_toml(path).name == "given"


def test_a_device_without_current_has_no_voltage():
    device = load_preset("paper").leak
    assert device.v_reach(0.0, 0.27) == pytest.approx((0.0, 0.0), abs=1e-8)
    low, high = device.v_reach(1e-9, 0.27)  # a resistor of r_off at such a current
    assert -low == high == pytest.approx(1e-9 * device.r_off, rel=0.02)
    assert device.v_reach(1.0, 0.27) == (-0.27, 0.27)
