"""A headless Chromium, and pages opened in it.

Debian: `apt-get install chromium chromium-driver` (tests/run does it where it may). Without one the tests are skipped,
but under CI they fail: there a page that nobody opened does not count as tested.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import archdsl
from archdsl.api import open_source
from archdsl.backends.diagram import page
from archdsl.graph.ir import Graph
from archdsl.source import Source

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage "
    "--window-size=1500,950 --force-device-scale-factor=1"
).split()


class Browser:
    """What the tests need of Selenium."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path, fragment: str = "") -> None:
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get("about:blank")
        self.driver.get(path.as_uri() + fragment)
        assert self.js("return document.documentElement.dataset.ready") == "true", self.console()

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def console(self) -> list[str]:
        """Messages of the console since the page was opened."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses of everything that was asked for since the page was opened; the browser's own empty tab aside."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith(("data:", "about:", "chrome:"))]

    def find(self, selector: str) -> Any:
        from selenium.webdriver.common.by import By

        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        return self.js("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector)

    def ids(self, selector: str) -> set[str]:
        return set(self.js("return [...document.querySelectorAll(arguments[0])].map(e => e.id)", selector))

    def hover(self, selector: str) -> None:
        self._actions().move_to_element(self.find(selector)).perform()

    def click(self, selector: str, shift: bool = False) -> None:
        from selenium.webdriver.common.keys import Keys

        actions = self._actions()
        actions = actions.key_down(Keys.SHIFT) if shift else actions
        actions.move_to_element(self.find(selector)).click().key_up(Keys.SHIFT).perform()

    def type(self, *keys: str) -> None:
        self._actions().send_keys(*keys).perform()

    def search(self, text: str) -> None:
        """Look for a text and go to the first result, with keys alone."""
        from selenium.webdriver.common.keys import Keys

        self.js("document.activeElement.blur()")
        self.type("/")
        self.js("document.getElementById('ui-search').value = ''")
        self.type(text)
        self.type(Keys.ENTER)

    def open_all(self) -> None:
        """Open level after level until nothing is closed."""
        while self.js("return document.querySelectorAll('#ui-scene .closed').length"):
            self.js("document.getElementById('ui-more').click()")

    def _actions(self) -> Any:
        from selenium.webdriver import ActionChains

        return ActionChains(self.driver, duration=0)


Show = Callable[..., Browser]


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    program = shutil.which("chromedriver")
    if binary is None or program is None:
        message = "no Chromium with its driver: apt-get install chromium chromium-driver"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(program))
    yield made
    made.quit()


@pytest.fixture
def browser(driver: Any) -> Browser:
    return Browser(driver)


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Show:
    """Open the page of a shipped variant, or of a graph."""

    def opened(of: str | Graph, fragment: str = "") -> Browser:
        graph = archdsl.find(of).graph if isinstance(of, str) else of
        path = tmp_path / "page.html"
        path.write_text(page(graph), encoding="utf-8")
        browser.open(path, fragment)
        return browser

    return opened


def graph(text: str) -> Graph:
    (made,) = open_source(Source("test.arch", dedent(text).strip() + "\n")).values()
    return made.graph
