"""The page in a real browser: silent, offline, sortable, and whole on a telephone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.runs import MODELS, Plot, write_run

from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.report import Report

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")

HOSTILE = (
    "<script>document.title='owned'</script>",
    "\"'><img src=x onerror=document.title='owned'>",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
    "x" * 300,
)

pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed"),
    # Selenium leaves its connection to the driver for the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--window-size=1200,900",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def ordinary(broken):
    return page_of(broken)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    plot = Plot(models=(MODELS[0], "timm/" + "y" * 250), recipes=HOSTILE, seeds=(0, 1), samples=20, name="z" * 300)
    fail = [(MODELS[0], HOSTILE[3], 0, "digits-linf", "apgd")]
    plot = Plot(**{**vars(plot), "fail": fail, "error": "<b>" + "e" * 400})
    return page_of(RunFolder.load(write_run(tmp_path_factory.mktemp("hostile"), plot)))


def page_of(folder: RunFolder) -> Path:
    page = folder.path / "page.html"
    page.write_text(Report(folder).html())
    return page


def show(browser, page, width=1200, height=900):
    """Open the page with fresh logs."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(page.as_uri())


def column(browser, place):
    script = "return [...document.querySelector('table.board').tBodies[0].rows].map(row => row.cells[arguments[0]].dataset.value)"
    return browser.execute_script(script, place)


@pytest.mark.parametrize("name", ["ordinary", "hostile"])
def test_it_logs_nothing_and_asks_nobody(browser, request, name):
    page = request.getfixturevalue(name)
    show(browser, page)
    assert browser.get_log("browser") == []
    asked = set()
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        # A browser that has just started still loads its own pages; only what our page asks for counts.
        if message["method"] == "Network.requestWillBeSent" and message["params"]["documentURL"] == page.as_uri():
            asked.add(message["params"]["request"]["url"].split(",")[0].split(";")[0])
    assert asked - {"data:", "data:image/png"} == {page.as_uri()}


def test_a_click_sorts_and_another_turns_it(browser, ordinary):
    show(browser, ordinary)
    assert column(browser, 0)[0] == "1"
    button = browser.find_element("css selector", "table.board thead th:nth-child(4) button")
    button.click()
    values = column(browser, 3)
    assert values == sorted(values, key=float, reverse=True)
    assert button.find_element("xpath", "..").get_attribute("aria-sort") == "descending"
    button.click()
    assert column(browser, 3) == sorted(values, key=float)
    assert len(browser.find_elements("css selector", "table.board thead th[aria-sort]")) == 1


def test_the_keyboard_sorts_as_well_and_failures_stay_last(browser, ordinary):
    from selenium.webdriver.common.keys import Keys

    show(browser, ordinary)
    button = browser.find_element("css selector", "table.board thead th:nth-child(3) button")
    for _ in range(2):
        button.send_keys(Keys.ENTER)
        values = column(browser, 2)
        assert values[-1] == ""
        assert all(values[:-1])
    assert [float(value) for value in values[:-1]] == sorted(float(value) for value in values[:-1])


def test_hostile_names_are_seen_as_text(browser, hostile):
    show(browser, hostile)
    assert "owned" not in browser.title
    assert browser.execute_script("return document.scripts.length") == 1
    text = browser.execute_script("return document.body.textContent")
    for name in HOSTILE:
        assert name in text
    names = browser.find_elements("css selector", "table.board .recipe")
    assert {element.get_attribute("textContent") for element in names} == set(HOSTILE)


@pytest.mark.parametrize("name", ["ordinary", "hostile"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_overflows_sideways(browser, request, name, width):
    show(browser, request.getfixturevalue(name), width=width)
    browser.execute_script("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script("return document.querySelector('table.board').getBoundingClientRect().height") > 100


def test_the_legend_brings_one_recipe_out(browser, ordinary):
    show(browser, ordinary)
    button = browser.find_element("css selector", ".legend button")
    button.click()
    series = button.get_attribute("data-series")
    dimmed = "return [...document.querySelectorAll('.series.dim')].some(item => item.classList.contains(arguments[0]))"
    assert browser.execute_script("return document.querySelectorAll('.series.dim').length") > 0
    assert not browser.execute_script(dimmed, series)
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert browser.execute_script("return document.querySelectorAll('.series.dim').length") == 0


def test_a_point_says_what_it_is(browser, ordinary):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.support.ui import WebDriverWait

    show(browser, ordinary)
    mark = browser.find_element("css selector", ".scatter g.mark")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
    tip = browser.find_element("id", "tip")

    def point(_):
        # Scrolling hides the tooltip, and its event may come late; then pointing anew shows it.
        ActionChains(browser).move_to_element(browser.find_element("tag name", "h1")).move_to_element(mark).perform()
        return tip.is_displayed()

    WebDriverWait(browser, 20).until(point)
    assert "% (" in tip.text


# Text and what it stands on; WCAG 2.2 asks for 4.5 to 1.
CONTRAST = """
const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const probe = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const light = colour => { probe.fillStyle = colour; probe.fillRect(0, 0, 1, 1); const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
const root = getComputedStyle(document.documentElement), value = name => light(root.getPropertyValue(name));
const pairs = [['--ink', '--bg'],
  ['--ink', '--card'], ['--soft', '--bg'], ['--soft', '--card'], ['--accent', '--card'],
  ['--bad', '--bad-bg'],  ['--good', '--good-bg'], ['--warn', '--warn-bg'], ['--bad', '--card'], ['--warn', '--card'],
  ...[...Array(8).keys()].map(i => ['--c' + i, '--card'])];
return pairs.map(([a, b]) => { const [x, y] = [value(a), value(b)].sort((p, q) => q - p); return [a + ' on ' + b, (x + 0.05) / (y + 0.05)]; });
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_enough_contrast(browser, ordinary, scheme):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    show(browser, ordinary)
    found = browser.execute_script(CONTRAST)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert len(found) == 18
    assert [(pair, round(ratio, 2)) for pair, ratio in found if ratio < 4.5] == []


def test_it_prints(browser, ordinary):
    show(browser, ordinary)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert printed.startswith("JVBERi0")  # %PDF-
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.execute_script("return getComputedStyle(document.querySelector('nav')).display") == "none"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
