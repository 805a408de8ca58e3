"""A page as axe-core reads it: names, roles, states, contrast, and what a keyboard reaches.

Left out are the order of headings, which in a lesson depends on where a figure stands, and what is
dimmed while it waits for the server.
"""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

OPTIONS = {
    "resultTypes": ["violations"],
    "rules": {"heading-order": {"enabled": False}},
    "preload": False,  # it would ask for styles at addresses of its own making
}


def violations(page: Page) -> str:
    """What is wrong, by rule and place, once every part of a page has been in sight; nothing on a
    page that is well."""
    height = page.evaluate("document.documentElement.scrollHeight")
    for y in range(0, height, 500):
        page.evaluate("y => scrollTo(0, y)", y)
    page.wait_for_load_state("networkidle")
    found = Axe().run(page, context={"exclude": [[".waits"]]}, options=OPTIONS)
    return found.generate_report() if found.violations_count else ""
