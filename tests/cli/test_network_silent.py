"""Commands on a network of which a neuron is silent."""

from spicealif.cli import main

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


def test_a_figure_that_cannot_be_drawn_takes_nothing_with_it(tmp_path, capsys):
    (tmp_path / "silent.toml").write_text(TOML)
    folder = tmp_path / "out"
    arguments = ["network", "run", str(tmp_path / "silent.toml"), "--figures", "-o", str(folder)]
    assert main(arguments) == 0
    assert "phase.png is left out. There are no phases: n_0 has 0 spikes" in capsys.readouterr().err
    assert (folder / "raster.png").exists() and (folder / "circuit.nc").exists()
    assert not (folder / "phase.png").exists()
