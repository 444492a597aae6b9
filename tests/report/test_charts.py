"""Traces in a report: thinned with an error that is known, packed, drawn without a script."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest

from spicealif import Waveforms
from spicealif.report._charts import Chart, Marks, Panel, Series, nice_ticks, thinned


def saw(samples=20_000, teeth=40, **attrs):
    """A saw-tooth with a slow part beside it, over 50 ms."""
    time = np.linspace(0, 0.05, samples)
    phase = (time * teeth / 0.05) % 1
    return Waveforms(
        time, {"v_mem": 0.4 * (1 - np.exp(-3 * phase)), "x": time * 18}, time[:3], attrs
    )


def unpacked(packed, begin, end):
    """Return time and values as the page's script reads them."""
    t = np.frombuffer(base64.b64decode(packed["t"]), dtype="<u4")
    v = np.frombuffer(base64.b64decode(packed["v"]), dtype="<u2").astype(float)
    v[v == 65535] = np.nan
    assert len(t) == len(v) == packed["n"]
    return begin + t / (2**32 - 1) * (end - begin), packed["low"] + v / 65534 * packed["span"]


@pytest.mark.parametrize("most", [150_000, 600, 300])
def test_what_is_embedded_is_within_the_error_that_is_told(most):
    whole = saw()
    for name, (time, values, part, samples) in zip(
        ("v_mem", "x"), thinned([(whole, "v_mem"), (whole, "x")], most), strict=True
    ):
        assert samples == len(whole)
        assert len(time) < len(whole)
        packed = Series(name, 1, time, values, part, samples).packed(0.0, 0.05)
        t, v = unpacked(packed, 0.0, 0.05)
        span = float(np.ptp(whole[name]))
        # The steps of the values, and what a step of the time is worth on the steepest edge.
        steps = span / 65534 + float(np.abs(np.diff(whole[name])).max()) * 1e-4
        error = float(np.abs(np.interp(whole.time, t, v) - whole[name]).max())
        assert error <= part * span + steps
        if most < 1000:
            assert part > 1e-4  # or nothing had to be left out


def test_a_run_that_was_thinned_before_is_told_with_both_errors():
    ((_, _, part, samples),) = thinned([(saw(interpolation_error=1e-3, samples_=1), "v_mem")])
    assert part == pytest.approx(1.1e-3)
    assert samples == 20_000
    ((_, _, _, samples),) = thinned([(Waveforms(*_fields(saw()), {"samples": 99_999}), "v_mem")])
    assert samples == 99_999


def _fields(w):
    return w.time, dict(w.signals), w.t_spike


def test_noise_that_no_lines_follow_is_cut_to_its_extremes_and_says_so():
    noise = np.random.default_rng(0).normal(size=30_000)
    whole = Waveforms(np.linspace(0, 1, 30_000), {"v_mem": noise}, np.empty(0))
    ((time, values, part, samples),) = thinned([(whole, "v_mem")], 1000)
    assert np.isnan(part)
    assert (samples, len(time) <= 1002) == (30_000, True)
    assert (values.min(), values.max()) == (noise.min(), noise.max())
    assert (time[0], time[-1]) == (0.0, 1.0)


def test_what_is_no_number_stays_none():
    values = np.array([0.0, np.nan, 2.0, 1.0])
    packed = Series("a", 1, np.arange(4.0), values).packed(0.0, 3.0)
    _, back = unpacked(packed, 0.0, 3.0)
    np.testing.assert_allclose(back, values, atol=1e-4)
    assert json.dumps(packed, allow_nan=False)


@pytest.mark.parametrize("low, high, about", [(0, 50, 7), (-0.02, 0.42, 4), (1e-9, 3e-9, 3)])
def test_ticks_are_round_and_inside(low, high, about):
    ticks = nice_ticks(low, high, about)
    assert 2 <= len(ticks) <= 2 * about + 1
    assert all(low - 1e-12 * abs(high) <= t <= high * (1 + 1e-12) for t in ticks)
    step = ticks[1] - ticks[0]
    assert re.fullmatch(r"[125](\.0+)?e[+-]\d+", f"{step:.6e}")
    np.testing.assert_allclose(np.diff(ticks), step)


def test_ticks_of_nothing():
    assert nice_ticks(1.0, 1.0, 5) == [1.0]
    assert nice_ticks(0.0, float("inf"), 5) == [0.0]


def chart(**changes):
    whole = saw(2000)
    panels = (
        Panel("v_mem", "membrane voltage", "V",
              (Series("circuit", 1, whole.time, whole["v_mem"]),), lines=((0.4, "v_th"),)),
        Panel("interval", "of spikes", "s",
              (Series("circuit", 1, np.array([0.01, 0.02]), np.array([1e-3, 2e-3]), dots=True),)),
        Panel("spikes", "spike times", marks=(Marks("circuit <1>", 1, np.array([0.01, 0.02])),)),
    )  # fmt: skip
    fields = {"name": "traces", "title": "Traces", "begin": 0.0, "end": 0.05, "panels": panels,
              "description": "What there is.", **changes}  # fmt: skip
    return Chart(**fields)


def test_the_drawing_without_a_script_has_what_the_traces_have():
    drawn = [svg for _, svg in chart().drawn]
    y = [float(v) for v in re.findall(r"[ML][\d.]+ ([\d.]+)", drawn[0].split('class="line c1"')[1])]
    top, bottom = 8, 150 - 8
    # 40 teeth, all of them up to the threshold and down to zero.
    assert min(y) == pytest.approx(bottom - (0.38 - -0.024) / 0.448 * (bottom - top), abs=2)
    assert sum(a - b > 80 for a, b in zip(y[1:], y[:-1], strict=True)) in (39, 40)
    assert drawn[1].count("h0") == 2
    assert drawn[2].count("V") >= 2
    assert "time in ms" in drawn[2] and "time in ms" not in drawn[0]
    assert "circuit &lt;1&gt;" in drawn[2] and "<1>" not in drawn[2]
    assert all('role="img" aria-label="' in svg for svg in drawn)


def test_the_packed_chart_is_json_and_exact_for_spikes():
    data = chart().data
    assert json.loads(json.dumps(data, allow_nan=False)) == json.loads(json.dumps(data))
    times = np.frombuffer(base64.b64decode(data["panels"][2]["marks"][0]["t"]), dtype="<f8")
    assert times.tolist() == [0.01, 0.02]
    assert (data["unit"], data["factor"]) == ("ms", 1e3)
    assert data["panels"][0]["unit"] == "mV"
