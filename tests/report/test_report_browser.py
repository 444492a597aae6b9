"""Reports in a browser: without a network, at every width and colour, in print, by mouse and keys.

Chromium and its driver are Debian's, which `scripts/setup.sh test` installs; without them these
tests are skipped.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from circuit_studies import made_circuit_study

from spicealif import write_report

pytest.importorskip("selenium")
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromium-driver"),
]
#: What has to be in print, too, where nothing can be clicked.
HEADINGS = ("Schematic", "Key figures", "Traces and spikes", "Spikes", "Numerical certificate",
            "Gap budget", "growth of the interval", "Netlist", "Design", "What differs",
            "All values", "As a file", "Provenance")  # fmt: skip


@pytest.fixture(scope="module")
def address(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(saved, tmp_path_factory.mktemp("page") / "report.html").as_uri()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
        # Where the tests run as root, as in a container, Chromium has no sandbox.
        *(["--no-sandbox"] if hasattr(os, "geteuid") and not os.geteuid() else []),
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # The driver is named, so that nobody looks for one in the network.
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium: Any, address: str) -> Any:
    """Return the report, just loaded, on a wide screen."""
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    look(chromium, 1280)
    chromium.get_log("browser")
    chromium.get(address)
    chromium.execute_script("localStorage.clear()")
    return chromium


def look(driver: Any, width: int, scheme: str = "light") -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def view(driver: Any) -> tuple[float, float]:
    """Return the stretch of time that the pictures show, in s, when they have been drawn."""
    settle(driver)
    low, high = driver.execute_script(
        "return document.querySelector('.chart').dataset.view"
    ).split()
    return float(low), float(high)


def settle(driver: Any) -> None:
    driver.execute_async_script(
        "const done = arguments[0];requestAnimationFrame(() => requestAnimationFrame(() => done()))"
    )


def drawn(driver: Any, panel: int) -> str:
    """Return the path of the first trace of a picture."""
    return str(driver.execute_script(
        f"return document.querySelector('.panel[data-k=\"{panel}\"] .line').getAttribute('d')"
    ))  # fmt: skip


def into_view(driver: Any, selector: str) -> Any:
    element = driver.find_element(By.CSS_SELECTOR, selector)
    driver.execute_script(
        "arguments[0].scrollIntoView({behavior: 'instant', block: 'start'})", element
    )
    return element


def press(driver: Any, tool: str, inside: str = ".chart") -> None:
    button = driver.find_element(By.CSS_SELECTOR, f"{inside} .tools [data-do={tool}]")
    driver.execute_script("arguments[0].click()", button)


def shown(driver: Any, selector: str) -> list[bool]:
    return [e.is_displayed() for e in driver.find_elements(By.CSS_SELECTOR, selector)]


def test_it_loads_without_a_network_and_without_a_word_on_the_console(page, address):
    page.get_log("performance")
    page.execute_cdp_cmd("Network.enable", {})
    page.get(address)
    time.sleep(0.3)  # for whatever would be loaded late
    assert page.get_log("browser") == []
    asked = [
        json.loads(entry["message"])["message"]["params"]["request"]["url"]
        for entry in page.get_log("performance")
        if '"Network.requestWillBeSent"' in entry["message"]
    ]
    assert asked and all(url == address or url.startswith("data:") for url in asked), asked
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    # Nothing that came into the page could run: its own script is the only one it may.
    policy = page.find_element(By.CSS_SELECTOR, "meta[http-equiv]").get_attribute("content")
    assert "default-src 'none'" in policy
    page.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.foreign = 1';"
        "document.body.append(s); const i = new Image(); i.src = 'http://localhost:9/x.png';"
        "document.body.append(i)"
    )
    assert page.execute_script("return window.foreign") is None
    page.get_log("browser")  # which has the two refusals


def test_zooming_one_picture_zooms_all_and_reset_brings_all_back(page):
    begin, end = view(page)
    assert (begin, end) == (0.0, pytest.approx(3e-3))
    panels = len(page.find_elements(By.CSS_SELECTOR, ".panel"))
    assert panels == 6
    before = [drawn(page, k) for k in range(panels)]
    stage = into_view(page, ".chart .stage")
    picture = page.find_element(By.CSS_SELECTOR, '.panel[data-k="1"] svg')
    # Drag: the stretch from a quarter to a half of the picture.
    width = picture.size["width"]
    inner = width - 62 - 10
    left = -width / 2 + 62
    ActionChains(page).move_to_element_with_offset(
        picture, int(left + inner / 4), 0
    ).click_and_hold().move_by_offset(int(inner / 8), 0).move_by_offset(
        int(inner / 8), 0
    ).release().perform()
    low, high = view(page)
    assert (low, high) == (pytest.approx(0.75e-3, abs=2e-5), pytest.approx(1.5e-3, abs=2e-5))
    after = [drawn(page, k) for k in range(panels)]
    assert all(a != b for a, b in zip(before, after, strict=True))
    status = page.find_element(By.CSS_SELECTOR, ".chart .shown").text
    assert status.startswith("Shown: 0.7") and status.endswith("ms")
    # Keys: in, right, out, reset.
    ActionChains(page).send_keys("+").perform()
    nearer = view(page)
    assert nearer[1] - nearer[0] == pytest.approx((high - low) / 2)
    ActionChains(page).send_keys(Keys.ARROW_RIGHT).perform()
    moved = view(page)
    assert moved[0] > nearer[0] and moved[1] - moved[0] == pytest.approx(nearer[1] - nearer[0])
    assert page.switch_to.active_element == stage
    ActionChains(page).send_keys("0").perform()
    assert view(page) == (begin, end)
    assert [drawn(page, k) for k in range(panels)] == before
    # The wheel, over a picture that has been clicked.
    page.execute_script(
        "const r = arguments[0].getBoundingClientRect();"
        "arguments[0].dispatchEvent(new WheelEvent('wheel', {deltaY: -200, bubbles: true,"
        "cancelable: true, clientX: r.left + r.width / 2, clientY: r.top + 20}))", picture
    )  # fmt: skip
    wheeled = view(page)
    assert 0 < wheeled[0] < wheeled[1] < end
    # Buttons.
    press(page, "in")
    assert view(page)[1] - view(page)[0] < wheeled[1] - wheeled[0]
    press(page, "reset")
    assert view(page) == (begin, end)


def test_without_a_click_the_wheel_scrolls_the_page(page):
    into_view(page, ".chart .stage")
    before = view(page)
    page.execute_script(
        "document.querySelector('.panel svg').dispatchEvent(new WheelEvent('wheel', {deltaY: -200,"
        "bubbles: true, cancelable: true, clientX: 600, clientY: 200}))"
    )
    assert view(page) == before


def test_zoomed_traces_are_exact(page, saved):
    """The values that the page reads off are those of the waveforms, far below a pixel."""
    from spicealif import load_waveforms

    circuit = load_waveforms(saved / "circuit.nc")
    press(page, "in")
    into_view(page, ".chart .stage")
    low, high = view(page)
    picture = page.find_element(By.CSS_SELECTOR, '.panel[data-k="1"] svg')
    ActionChains(page).move_to_element_with_offset(picture, 40, 10).perform()
    settle(page)
    words = page.find_element(By.CSS_SELECTOR, '.panel[data-k="0"] .readout').text
    at = float(words.split("t = ")[1].split(" ms")[0]) * 1e-3
    assert low < at < high
    text = page.find_element(By.CSS_SELECTOR, '.panel[data-k="1"] .readout .c1').text
    value = float(text.split()[-2].replace("\u2212", "-")) * 1e-3
    near = circuit.at("v_mem", [at - 2e-7, at, at + 2e-7])
    assert near.min() - 2e-4 <= value <= near.max() + 2e-4


def test_spikes_of_the_table_and_of_the_pictures_are_the_same(page, certificate):
    rows = page.find_elements(By.CSS_SELECTOR, ".spikes tbody tr")
    spikes = certificate.run.waveforms.t_spike
    assert len(rows) >= len(spikes)
    third = rows[2]
    page.execute_script("arguments[0].click()", third)
    low, high = view(page)
    time_of = float(third.get_attribute("data-t").split()[0])
    assert time_of == spikes[2]
    assert low < time_of < high < 3e-3
    assert "is-chosen" in third.get_attribute("class")
    assert len(page.find_elements(By.CSS_SELECTOR, ".panel .chosen.c1")) == 6
    # By keys to the next, which is the one that has the focus then.
    page.execute_script("arguments[0].querySelector('button').focus()", third)
    page.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    chosen = page.find_elements(By.CSS_SELECTOR, ".spikes tr.is-chosen")
    assert chosen == [rows[3]]
    assert page.switch_to.active_element.text == rows[3].find_element(By.TAG_NAME, "button").text
    # A click in a picture chooses the spike that is nearest.
    press(page, "reset")
    view(page)
    into_view(page, ".chart .stage")
    picture = page.find_element(By.CSS_SELECTOR, '.panel[data-k="1"] svg')
    width = picture.size["width"]
    x = 62 + spikes[0] / 3e-3 * (width - 72)
    ActionChains(page).move_to_element_with_offset(
        picture, round(x - width / 2), 0
    ).click().perform()
    settle(page)
    assert page.find_elements(By.CSS_SELECTOR, ".spikes tr.is-chosen") == [rows[0]]
    assert view(page) == (0.0, pytest.approx(3e-3))


def test_two_fingers_zoom(page):
    look(page, 360)
    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        picture = into_view(page, '.panel[data-k="1"] svg')
        box = picture.rect
        middle = int(box["width"] / 2)
        top = int(page.execute_script("return arguments[0].getBoundingClientRect().top", picture))
        actions = ActionBuilder(page, mouse=PointerInput("touch", "one"))
        other = actions.add_pointer_input("touch", "two")
        for pointer, side in ((actions.pointer_action.source, -1), (other, 1)):
            pointer.create_pointer_move(x=middle + side * 20, y=top + 40, duration=0)
            pointer.create_pointer_down(button=0)
            pointer.create_pointer_move(x=middle + side * 60, y=top + 40, duration=100)
            pointer.create_pointer_up(button=0)
        actions.perform()
        low, high = view(page)
        assert 0 < low < high < 3e-3
        assert (high - low) < 0.6 * 3e-3
    finally:
        page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_tabs_by_mouse_and_by_keys(page):
    panels = "#budget .tabpanel"
    assert shown(page, panels) == [True, False]
    tabs = page.find_elements(By.CSS_SELECTOR, "#budget [role=tab]")
    page.execute_script("arguments[0].click()", tabs[1])
    assert shown(page, panels) == [False, True]
    assert [t.get_attribute("aria-selected") for t in tabs] == ["false", "true"]
    page.execute_script("arguments[0].focus()", tabs[1])
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)  # round to the first
    assert shown(page, panels) == [True, False]
    assert page.switch_to.active_element == tabs[0]
    design = page.find_elements(By.CSS_SELECTOR, "#design [role=tab]")
    assert [t.text for t in design] == ["What differs", "All values", "What follows", "As a file"]


def test_drawings_zoom_too(page):
    svg = "return document.querySelector('#schematic svg').getAttribute('viewBox')"
    whole = page.execute_script(svg)
    press(page, "in", "#schematic")
    nearer = page.execute_script(svg)
    assert float(nearer.split()[2]) == pytest.approx(float(whole.split()[2]) * 0.6)
    press(page, "right", "#schematic")
    assert float(page.execute_script(svg).split()[0]) > float(nearer.split()[0])
    press(page, "reset", "#schematic")
    assert [float(v) for v in page.execute_script(svg).split()] == pytest.approx(
        [float(v) for v in whole.split()]
    )


#: Of every text that can be seen: the contrast of its colour with what is behind it.
CONTRAST = """
function rgb(text) { const m = text.match(/[\\d.]+/g).map(Number); return m; }
function light(c) {
  const [r, g, b] = c.slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function behind(e) {
  for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0.5) return c;
  }
  return [255, 255, 255];
}
const low = new Map();
for (const e of document.querySelectorAll('body *')) {
  if (e.closest('svg, script, style') || !e.getClientRects().length) continue;
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
  const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) low.set(e.tagName + '.' + e.className, ratio);
}
return [...low];
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_have_contrast(page, address, scheme):
    look(page, 1280, scheme)
    page.get(address)
    back = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert back == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[scheme]
    assert page.execute_script(CONTRAST) == []
    # The switch overrules the system, and the page keeps it.
    other = {"light": "dark", "dark": "light"}[scheme]
    button = page.find_element(By.CSS_SELECTOR, f"button[data-theme={other}]")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    turned = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert turned != back
    assert page.execute_script(CONTRAST) == []
    page.find_element(By.CSS_SELECTOR, "button[data-theme=auto]").click()
    assert page.execute_script("return getComputedStyle(document.body).backgroundColor") == back


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_screen(page, address, width):
    look(page, width)
    page.get(address)
    settle(page)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    # Every tab, since what is hidden has no width.
    page.execute_script("document.querySelectorAll('.tabpanel').forEach(p => p.hidden = false)")
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    sizes = page.execute_script(
        "return [...document.querySelectorAll('.plot .words text')].map(t => t.getBBox().height *"
        "t.ownerSVGElement.getBoundingClientRect().width / t.ownerSVGElement.viewBox.baseVal.width)"
    )
    assert sizes and min(sizes) > 10  # pixels: texts in pictures do not shrink with the screen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_study_of_a_circuit_fits_and_can_be_read(page, tmp_path, width, scheme):
    look(page, width, scheme)
    page.get(write_report(made_circuit_study(), tmp_path / "circuit.html").as_uri())
    settle(page)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    cut = page.execute_script(
        "return [...document.querySelectorAll('.table')].filter(e => e.scrollWidth > e.clientWidth"
        " + 1).map(e => e.getAttribute('aria-label'))"
    )
    assert cut == []  # no column is off the screen
    assert page.execute_script(CONTRAST) == []


def test_keys_reach_everything(page):
    """Whatever scrolls or is pressed can have the focus, and says what it is."""
    nameless = page.execute_script(
        "return [...document.querySelectorAll('button, [tabindex=\"0\"], input')].filter(e =>"
        "!(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert nameless == []
    unreachable = page.execute_script(
        "return [...document.querySelectorAll('main *')].filter(e => {"
        "const s = getComputedStyle(e); return /auto|scroll/.test(s.overflowX + s.overflowY)"
        "&& (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)"
        "&& e.tabIndex < 0 && !e.querySelector('[tabindex=\"0\"], button') })"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert unreachable == []


def test_print_has_every_section_and_every_tab(page, tmp_path):
    printed = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    file = tmp_path / "report.pdf"
    file.write_bytes(base64.b64decode(printed["data"]))
    assert file.read_bytes().startswith(b"%PDF-")
    if shutil.which("pdftotext") is None:
        pytest.skip("needs pdftotext (poppler-utils)")
    text = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True
    ).stdout
    flat = " ".join(text.split())
    missing = [heading for heading in HEADINGS if heading not in flat]
    assert missing == []
    # All rows of what scrolls on the screen, and none of what is pressed there.
    assert "numerics.steering_c" in flat and "Reset" not in flat and "Copy" not in flat
    last = page.find_elements(By.CSS_SELECTOR, ".spikes tbody tr")[-1]
    assert f"{float(last.get_attribute('data-t').split()[0]) * 1e3:.6f}" in flat
    assert ".end" in flat


def test_without_its_script_everything_is_there(chromium, address):
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.get(address)
        assert all(shown(chromium, ".tabpanel"))
        assert all(shown(chromium, ".panel svg"))
        assert not any(shown(chromium, ".tools, .theme, .copy"))
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
