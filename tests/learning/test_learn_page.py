"""The task on the page of how to learn (docs/how_to/learn.md) runs."""

from __future__ import annotations

import tomllib

import jsonschema
import numpy as np
from doc_blocks import blocks

from spicealif.cli.main import run
from spicealif.learning import task_schema


def test_the_task_of_the_page_runs(tmp_path, monkeypatch, capsys):
    (block,) = [b for b in blocks("docs/how_to/learn.md") if b.language == "toml"]
    jsonschema.validate(tomllib.loads(block.text), task_schema())  # as an editor would
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = [f"{7 * k},{rng.normal() + k % 2:.3f},{rng.normal():.3f},{'ab'[k % 2]}"
            for k in range(20)]  # fmt: skip
    (tmp_path / "mine.csv").write_text("\n".join(["id,p,q,kind", *rows, ""]))
    (tmp_path / "mine_task.toml").write_text(block.text)
    words = ["learn", "mine_task.toml", "--method", "alif-ridge", "--seed", "9", "--workers", "1"]
    assert run([*words, "--store", "store"]) == 0
    assert "ALIF, ridge" in capsys.readouterr().out
