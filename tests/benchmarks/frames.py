"""How smoothly the lab draws: the longest frame while 500 characters stream in.

    python -m tests.benchmarks.frames [--quick]

A real Chromium, headless, software raster, 1280 x 900, on the two-layer Shakespeare LSTM with
every gate. Frames are the gaps between animation frames; long tasks are what the browser itself
reports as such (over 50 ms on the main thread). The server and the browser share the processor.
"""

import argparse
import statistics
import subprocess
import sys
import time

from playwright.sync_api import sync_playwright

from tests.benchmarks.serving import ROOT, free_port
from tests.benchmarks.startup import LIMIT, answers
from tests.browser.conftest import FLAGS, find_chromium

CHARACTERS = 500
WATCH = """() => {
  const seen = (window.seen = { gaps: [], long: [], last: performance.now() });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.long.push(entry.duration);
  }).observe({ type: "longtask" });
  const tick = (now) => {
    seen.gaps.push(now - seen.last);
    seen.last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""


def stream(page, address: str) -> dict:
    """One stream on a fresh page: gaps between frames and long tasks, ms."""
    page.goto(address)
    page.locator("#reading [data-t='9']").wait_for()
    page.wait_for_timeout(2500)  # Plotly has arrived and rests
    page.locator("#length").fill(str(CHARACTERS))
    page.evaluate(WATCH)
    page.locator("#write").click()
    page.locator(f"#reading [data-t='{9 + CHARACTERS}']").wait_for(timeout=LIMIT * 1000)
    return page.evaluate("window.seen")


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.frames")
    parser.add_argument("--quick", action="store_true", help="one stream")
    rounds = 1 if parser.parse_args(arguments).quick else 3
    port = free_port()
    command = [sys.executable, "-m", "backend", "serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        began = time.monotonic()
        while not answers(f"http://127.0.0.1:{port}/readyz"):
            if server.poll() is not None or time.monotonic() - began > LIMIT:
                raise RuntimeError("the server did not become ready")
            time.sleep(0.1)
        address = f"http://127.0.0.1:{port}/en/lab/shakespeare-lstm?prefix=To+be,+or+"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=[*FLAGS, "--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            runs = [stream(page, address) for _ in range(rounds)]
            browser.close()
    finally:
        server.terminate()
        server.wait(20)
    for run in runs:
        gaps = sorted(run["gaps"][1:])
        print(
            f"{len(gaps)} frames, median {statistics.median(gaps):.0f} ms, "
            f"p99 {gaps[int(0.99 * (len(gaps) - 1))]:.0f} ms, longest {gaps[-1]:.0f} ms, "
            f"long tasks: {[round(duration) for duration in run['long']] or 'none'}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
