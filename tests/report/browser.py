"""A headless browser, and the document as it is once its scripts have run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report import journals

from chaos.history import fold
from chaos.journal import read
from chaos.report import html
from chaos.verdict import judge

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--window-size=1280,900",  # a later one wins
)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="needs chromium"
)


class Page(HTMLParser):
    """The elements of a document, each with its attributes and its own text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[int, str] = {}
        self._open: list[int] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self.elements[self._open.pop()][0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for number in self._open:
            self.text[number] = self.text.get(number, "") + data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and all(wanted[k] in (attributes.get(k) or "").split() for k in wanted)
        ]

    def texts(self, tag: str) -> list[str]:
        return [self.text.get(n, "") for n, (name, _) in enumerate(self.elements) if name == tag]


def browse(directory: Path, text: str, *flags: str) -> Page:
    """The document as it is once its scripts have run; fails when the browser complained."""
    assert CHROMIUM is not None, "the tests of the page need chromium: apt-get install chromium"
    path = directory / "page.html"
    path.write_text(text)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        done = subprocess.run(
            [CHROMIUM, *FLAGS, *flags, f"--user-data-dir={profile}", "--dump-dom", path.as_uri()],
            capture_output=True,
            text=True,
            timeout=90,
            check=True,
        )
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not complaints, complaints
    page = Page(done.stdout)
    root = page.all("html")[0]
    assert root.get("data-error") is None, root
    assert root.get("data-ready") == "true", root
    return page


def rendered(tmp_path: Path, **variant: Any) -> str:
    history = fold(read(journals.region_outage(tmp_path, **variant)))
    return html.render(history, judge(history))


def acting(text: str, script: str) -> str:
    """The page with a visitor in it, whom the page's own policy would keep out."""
    open_door = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    return open_door.replace("</body>", f"<script>{script}</script></body>")
