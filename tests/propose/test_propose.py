"""The design helper: neurons around given devices."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from spicealif.design import Memristor, PulseTrain, load_toml
from spicealif.errors import DesignError
from spicealif.measures.one_side import measure
from spicealif.propose import propose_neuron
from spicealif.reference import solve_reference, solve_references

PROGRAM = str(Path(sys.executable).with_name("spicealif"))
FAST = Memristor(r_on=3700, r_off=84000, v_on=0.285, v_off=0.115, tau=2.2e-5)  # W-SDC, 1 kHz
SLOW = Memristor(r_on=1200, r_off=156000, v_on=0.288, v_off=0.13, tau=4.3e-3)  # W-SDC, 1 Hz
KNOWM = Memristor(r_on=500, r_off=1500, v_on=0.27, v_off=0.27, tau=5e-3)


def figures(neuron):
    """Initial rate and adaptation by a run of the reference at half its step."""
    found = measure(solve_reference(neuron, h=neuron.default_h / 2), neuron)
    return 1 / found["isi_first"], found["adaptation_ratio"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("device", "rate", "adaptation"), [(FAST, 5e3, 2.0), (SLOW, 2e3, 3.0), (KNOWM, 5e3, 1.3)]
)
def test_a_wish_is_met(device, rate, adaptation):
    proposal = propose_neuron(device, rate=rate, adaptation=adaptation)
    assert proposal.met, str(proposal)
    assert proposal.cannot == ()
    got = figures(proposal.neuron)
    assert got == pytest.approx((rate, adaptation), rel=1.1 * proposal.tolerance)
    assert proposal.neuron.leak == device
    assert proposal.neuron.stimulus.peak(1.0) <= 1e-3
    assert proposal.range[0] <= adaptation <= proposal.range[1]


@pytest.mark.slow
def test_the_circuit_does_it_too():
    proposal = propose_neuron(KNOWM, rate=5e3, adaptation=1.3, t_stop=8e-3).check("ngspice-batch")
    # v_low above 0 and the amplifier's load are not in the reference
    assert proposal.circuit["rate"] == pytest.approx(5e3, rel=0.25)
    assert proposal.circuit["adaptation"] == pytest.approx(1.3, rel=0.1)
    assert "circuit" in str(proposal)


@pytest.mark.slow
def test_what_cannot_be_had_is_said_with_the_range():
    proposal = propose_neuron(KNOWM, rate=5e3, adaptation=50.0)
    assert not proposal.met
    text = " ".join(proposal.cannot)
    most = proposal.range[1]
    assert re.search(r"reaches at most [\d.]+", text)
    assert proposal.reached["adaptation"] == pytest.approx(most, rel=0.05)
    # a blind search over the same parameters finds nothing beyond that range
    rng = np.random.default_rng(0)
    base, neurons = proposal.neuron, []
    while len(neurons) < 300:
        v_th, i_peak = rng.uniform(0.15, 0.8), rng.uniform(1e-4, 1e-3)
        # the helper's margin: no state that can occur at v_th silences the neuron
        on, off = expit((v_th - 0.27) / 0.02572), expit(-(v_th + 0.27) / 0.02572)
        x = on / (on + off)
        if i_peak < 1.1 * v_th * (x / KNOWM.r_on + (1 - x) / KNOWM.r_off):
            continue
        try:
            neurons.append(
                base.replace(
                    {
                        "v_th": v_th,
                        "v_low": v_th / 8,
                        "r_s": float(np.exp(rng.uniform(np.log(50), np.log(2e4)))),
                        "stimulus.amplitude": i_peak,
                    }
                )
            )
        except DesignError:
            continue
    # the first interval goes about with C
    for _ in range(2):
        neurons = [
            neuron.replace(c=neuron.c * 2e-4 / np.diff(summary.t_spike)[0])
            for neuron, summary in zip(neurons, solve_references(neurons), strict=True)
            if len(summary.t_spike) > 2
        ]
    ratios = []
    for neuron, summary in zip(neurons, solve_references(neurons), strict=True):
        gaps = np.diff(summary.t_spike)
        allowed = summary.v_c_peak <= neuron.supplies.v_pos
        if allowed and len(gaps) > 1 and gaps[0] == pytest.approx(2e-4, rel=0.02):
            ratios.append(gaps[-1] / gaps[0])
    assert len(ratios) > 50
    best = max(ratios)
    assert best < 1.05 * most


@pytest.mark.slow
def test_a_rate_far_too_low_ends_at_the_lowest_one():
    proposal = propose_neuron(KNOWM, rate=0.5, adaptation=1.3)
    assert not proposal.met
    assert proposal.reached["rate"] > 0.5
    # as long as that rate asks for, not as the wish would
    assert proposal.neuron.t_stop < 60 / proposal.reached["rate"] + 0.06


@pytest.mark.slow
def test_pulses_may_be_wished_for():
    pulses = PulseTrain(amplitude=1e-3, frequency=200)
    proposal = propose_neuron(KNOWM, rate=4e3, adaptation=1.2, stimulus=pulses, t_stop=50e-3)
    assert isinstance(proposal.neuron.stimulus, PulseTrain)
    assert proposal.met or proposal.cannot


def test_current_and_preferred_values():
    proposal = propose_neuron(FAST, rate=5e3, adaptation=1.5, i_peak="100u", series="E24")
    assert proposal.neuron.stimulus.peak(1.0) == pytest.approx(1e-4)
    mantissa = proposal.neuron.r_s / 10 ** np.floor(np.log10(proposal.neuron.r_s))
    e24 = (1, 1.1, 1.2, 1.3, 1.5, 1.6, 1.8, 2, 2.2, 2.4, 2.7, 3, 3.3, 3.6, 3.9, 4.3, 4.7, 5.1,
           5.6, 6.2, 6.8, 7.5, 8.2, 9.1)  # fmt: skip
    assert min(abs(mantissa / e - 1) for e in e24) < 1e-9


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rate": -1, "adaptation": 2}, "rate"),
        ({"rate": "fast", "adaptation": 2}, "rate"),
        ({"rate": 5e3, "adaptation": 0}, "adaptation"),
        ({"rate": 5e3, "adaptation": 2, "i_peak": "1"}, "rated"),
        ({"rate": 5e3, "adaptation": 2, "variant": "exact"}, "variant"),
        ({"rate": 5e3, "adaptation": 2, "series": "E12"}, "E24"),
        ({"rate": 5e3, "adaptation": 2, "tolerance": 3}, "tolerance"),
    ],
)
def test_bad_wishes_are_one_sentence(options, words):
    with pytest.raises(DesignError, match=words):
        propose_neuron(KNOWM, **options)


def test_unknown_device_is_one_sentence():
    with pytest.raises(DesignError, match="nonesuch"):
        propose_neuron("nonesuch", rate=5e3, adaptation=2)


@pytest.mark.slow
def test_command_line(tmp_path):
    out = subprocess.run(
        [PROGRAM, "propose", "w_sdc_5k_1khz_m2", "--rate", "5k",
         "--adaptation", "2", "-o", "neuron.toml"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert "initial rate" in out.stdout
    neuron = load_toml(tmp_path / "neuron.toml")
    assert figures(neuron) == pytest.approx((5e3, 2.0), rel=0.015)
