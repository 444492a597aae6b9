"""Draw LTspice's schematic as a picture, without LTspice: wires, symbols' boxes, pins, texts.

    python scripts/draw_sheet.py neuron.asc neuron.png [--boxes]

What is drawn is what the tests read of the file (tests/_helpers/asc_sheet.py), not what spicealif
meant to write; ``--boxes`` shows where they take each text to be.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "_helpers"))
from asc_sheet import draw, nets, read_sheet


def main() -> None:
    """Draw the sheet and print its nets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sheet", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--boxes", action="store_true")
    options = parser.parse_args()
    sheet = read_sheet(options.sheet)
    for name, connected in nets(sheet).items():
        print(name, *connected)
    draw(sheet, options.picture, boxes=options.boxes)


if __name__ == "__main__":
    main()
