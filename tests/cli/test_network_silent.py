"""Commands on a network of which a neuron is silent."""

from command_line import call

TOML = """
name = "silent"
t_stop = "0.1m"
[[populations]]
name = "n"
size = 2
neuron = "paper"
[populations.parameters]
"stimulus.amplitude" = [0.1e-3, 1e-3]
[[projections]]
source = "n"
target = "n"
synapse = { kind = "diode", r = "5k" }
connector = { kind = "from-list", connections = [[0, 1], [1, 0]] }
"""


def test_a_figure_that_cannot_be_drawn_takes_nothing_with_it(tmp_path):
    (tmp_path / "silent.toml").write_text(TOML)
    done = call("network", "run", "silent.toml", "--figures", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0
    assert "phase.png is left out. There are no phases: n_0 has 0 spikes" in done.stderr
    assert (tmp_path / "out" / "raster.png").exists() and (tmp_path / "out" / "circuit.nc").exists()
    assert not (tmp_path / "out" / "phase.png").exists()
