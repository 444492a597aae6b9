"""How large a report is, how long it takes to be written, and how fast it opens.

Makes the report of the preset paper with certificate and budget (or of a folder that is given),
and opens it in Chromium: each time a new browser with a new profile, an empty page first, so that
the browser's own start does not count. The time is that until the load event, when everything has
been drawn, and that of the script alone. Also how long zooming takes: from a key to the next frame.

Usage: python benchmarks/report.py [FOLDER] [--times 5] [--keep report.html]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from spicealif import certify, explain, load_preset, write_report

#: Largest report in bytes, and longest time to open it in s.
SIZE, TIME = 3e6, 1.0

_ZOOM = """
const done = arguments[0], stage = document.querySelector('.stage');
if (!stage) { done(NaN); } else {
  stage.focus();
  const begun = performance.now();
  stage.dispatchEvent(new KeyboardEvent('keydown', {key: '+', bubbles: true}));
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begun)));
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name) / "paper"
        if arguments.folder is None:
            neuron = load_preset("paper")
            certify(neuron).save(folder, interpolation_error=1e-4)
            explain(neuron).save(folder)
        target = arguments.keep or Path(name) / "report.html"
        write_report(folder, target)  # compiles, loads libraries
        begun = time.perf_counter()
        write_report(folder, target)
        written = time.perf_counter() - begun
        opened, script, zoom = zip(
            *(_open(target, Path(name) / f"profile{k}") for k in range(arguments.times)),
            strict=True,
        )
        size = target.stat().st_size
    print(f"size     {size / 1e6:.2f} MB (at most {SIZE / 1e6:g})")
    print(f"written  {written:.2f} s")
    for label, values in (("opened", opened), ("script", script), ("zoom", zoom)):
        middle, worst = statistics.median(values), max(values)
        print(f"{label:7}  {middle:.3f} s, worst of {len(values)}: {worst:.3f} s")
    print(f"load     {os.getloadavg()[0]:.1f} (of {os.cpu_count()} CPUs)")
    good = size < SIZE and statistics.median(opened) < TIME
    raise SystemExit(not good)


def _open(page: Path, profile: Path) -> tuple[float, float, float]:
    """Return how long a page takes to open, its script, and a zoom, in s."""
    options = Options()
    options.binary_location = shutil.which("chromium") or "chromium"
    for argument in ("--headless=new", "--disable-gpu", "--no-first-run", "--no-sandbox",
                     "--disable-dev-shm-usage", f"--user-data-dir={profile}"):  # fmt: skip
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.get("about:blank")
        driver.get(page.resolve().as_uri())
        opened, script = driver.execute_script(
            "const n = performance.getEntriesByType('navigation')[0];"
            "const m = performance.getEntriesByName('spicealif-script')[0];"
            "return [n.loadEventEnd, m ? m.duration : 0]"
        )
        zoom = driver.execute_async_script(_ZOOM)
    finally:
        driver.quit()
    return opened / 1e3, script / 1e3, zoom / 1e3


if __name__ == "__main__":
    main()
