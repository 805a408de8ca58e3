"""The page of a transformer beside BertViz: bytes, the time to the first map, and to another layer.

Part of `make bench ARGS=attention`. The same weights and words, the same Chromium: our server and
page, which read the text meanwhile, against the HTML that BertViz writes of attentions that were
computed before. Painted is the second animation frame after the map stands. BertViz takes three
scripts from the web; here they come from a folder (`--scripts`; its bytes are not counted):

    npm install --prefix FOLDER requirejs@2.3.6 d3@5.7.0 jquery@2.2.4

Times are those of the clock, and in brackets the processor time of browser and server, which other
programs lengthen less.
"""

import os
import re
import resource
import signal
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Error, Page, sync_playwright

from tests.benchmarks import attention_models
from tests.benchmarks.attention_models import installed
from tests.benchmarks.serving import free_port, server
from tests.browser.conftest import FLAGS, find_chromium

SCRIPTS = {
    "require": "requirejs/require.js",
    "d3": "d3/dist/d3.min.js",
    "jquery": "jquery/dist/jquery.min.js",
}
MOST_SECONDS, MOST_BYTES = 180, 8 << 30  # that BertViz may take for a page
REST = 1500  # ms after a change, until what is fetched ahead has arrived
TICKS = os.sysconf("SC_CLK_TCK")
# What stands on a page once its first map does.
OURS = "globalThis.lab?.heads?.image && lab.map.map && !lab.map.stale"
THEIRS = "document.querySelector('svg line')"
WATCH = """
const tell = () => (document.documentElement.dataset.painted = performance.now());
const look = () => {{
  if (!({ready})) return requestAnimationFrame(look);
  requestAnimationFrame(() => requestAnimationFrame(tell));
}};
requestAnimationFrame(look);
"""
CHANGE = """async (value) => {{
  const began = performance.now();
  {turn};
  const frame = () => new Promise(requestAnimationFrame);
  do await frame(); while (!({ready}));
  await frame();
  return performance.now() - began;
}}"""
# What a change does, and what stands when it is done.
LAYER_OURS = "lab.store.set({ layer: value })", f"{OURS} && lab.store.state.layer === value"
TEXT_OURS = "lab.store.set({ text: value })", f"{OURS} && lab.store.reading?.text === value"
LAYER_THEIRS = (
    "const choice = document.querySelector('#layer'); choice.value = value; "
    "choice.dispatchEvent(new Event('change', { bubbles: true }))",
    THEIRS,
)


def processor() -> float:
    """Seconds of processor time that the processes under this one have taken."""
    seconds, parents = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        parents[int(folder.name)] = int(fields[1])
        seconds[int(folder.name)] = (int(fields[11]) + int(fields[12])) / TICKS

    def under(process: int) -> bool:
        while process in parents:
            process = parents[process]
            if process == os.getpid():
                return True
        return False

    return sum(value for process, value in seconds.items() if under(process))


class Opened:
    """A page that has been opened and has painted a map."""

    def __init__(self, page: Page, address: str, ready: str):
        self.page, self.bytes = page, {}
        names: dict[str, str] = {}
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.responseReceived",
                   lambda e: names.update({e["requestId"]: e["response"]["url"]}))  # fmt: skip
        network.on("Network.loadingFinished", lambda e: self.bytes.update(
            {names.get(e["requestId"], ""): e["encodedDataLength"]}))  # fmt: skip
        page.add_init_script(WATCH.format(ready=ready))
        page.set_default_timeout(1000 * MOST_SECONDS)
        before = processor()
        page.goto(address, wait_until="commit")
        page.locator("html[data-painted]").wait_for(state="attached")
        self.processor = processor() - before
        self.seconds = float(page.locator("html").get_attribute("data-painted")) / 1000

    def change(self, kind: tuple[str, str], values: list) -> tuple[float, float]:
        """Seconds from a choice to its map, and of the processor; medians over some choices."""
        clock, used = [], []
        script = CHANGE.format(turn=kind[0], ready=kind[1])
        for value in values:
            before = processor()
            clock.append(self.page.evaluate(script, value) / 1000)
            used.append(processor() - before)
            self.page.wait_for_timeout(REST)
        return statistics.median(clock), statistics.median(used)


@contextmanager
def chromium() -> Iterator:
    """A function that gives a page in a context of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=[*FLAGS, "--no-sandbox"]
        )
        yield lambda: browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        browser.close()


def tell(name: str, size: float, *times: tuple[float, float]) -> None:
    """A line of the table."""
    cells = (f"{clock:9.3f} s ({used:.2f})" for clock, used in times)
    print(f"    {name:26}{size / 1e6:9.2f} MB {' '.join(cells)}", flush=True)


# -- ours ----------------------------------------------------------------------------------------


def ours(address: str, T: int, rounds: int) -> None:
    """Print what our page takes. The server has read none of these texts before."""
    runs = []
    words = attention_models.words(T)
    texts = [" ".join(words[k:] + words[:k]) for k in range(4 * rounds)]
    for _ in range(rounds):
        with chromium() as make:
            one = Opened(make(), f"{address}?text={quote(texts.pop())}", OURS)
            opened = one.seconds, one.processor
            whole = sum(one.bytes.values())
            figure = sum(n for url, n in one.bytes.items() if url.endswith("/slices"))
            one.page.wait_for_timeout(2 * REST)
            text = one.change(TEXT_OURS, [texts.pop() for _ in range(3)])
            layer = one.change(LAYER_OURS, [6, 10, 2, 8, 4])
            runs.append((*opened, *text, *layer, figure, whole))
    *times, figure, whole = (statistics.median(column) for column in zip(*runs, strict=True))
    opened, text, layer = zip(times[::2], times[1::2], strict=True)
    tell("ours, page opened", whole, opened)
    tell("ours, another text, layer", figure, text, layer)


# -- BertViz -------------------------------------------------------------------------------------


def written(view: str, attentions: list, words: list[str], scripts: Path, place: Path) -> str:
    """Have a process of its own write BertViz' page. Why it did not, or nothing."""
    child = os.fork()
    if not child:
        try:
            signal.alarm(MOST_SECONDS)
            taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (taken + MOST_BYTES,) * 2)
            import bertviz

            html = getattr(bertviz, view)(attentions, words, html_action="return").data
            for name, path in SCRIPTS.items():
                at = (scripts / "node_modules" / path).resolve().as_uri()
                html = re.sub(rf"https://cdnjs[^'\"]*/{name}\.min(\.js)?",
                              lambda found, at=at: at if found[1] else at[:-3], html)  # fmt: skip
            place.write_text(f"<!doctype html><meta charset=utf-8>{html}", "utf-8")
            os._exit(0)
        except MemoryError:
            os._exit(2)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return f"no page after {MOST_SECONDS} s"
    reasons = {0: "", 2: f"no page with {MOST_BYTES >> 30} GB of memory"}
    return reasons.get(os.WEXITSTATUS(status), "no page")


def bertviz(view: str, attentions: list, words: list[str], scripts: Path, place: Path) -> None:
    """Print what a page of BertViz takes, or why there is none."""
    failed = written(view, attentions, words, scripts, place)
    if failed:
        print(f"    BertViz {view:18}{failed}", flush=True)
        return
    size = place.stat().st_size
    with chromium() as make:
        try:
            one = Opened(make(), place.as_uri(), THEIRS)
            layers = [6, 10, 2] if view == "head_view" else []
            changed = [one.change(LAYER_THEIRS, layers)] if layers else []
            tell(f"BertViz {view}", size, (one.seconds, one.processor), *changed)
        except Error as error:
            why = str(error).splitlines()[0]
            print(
                f"    BertViz {view:18}{size / 1e6:9.2f} MB, no map within {MOST_SECONDS} s: {why}"
            )
    place.unlink()


def attentions_of(folder: Path, T: int) -> list:
    """What BertViz is given."""
    eager = attention_models.theirs(folder, "eager")
    return list(eager(attention_models.tokens(T), output_attentions=True).attentions)


def measure(folder: Path, lengths: list[int], rounds: int, scripts: Path | None) -> None:
    """Print the table of each length, ours before BertViz."""
    port = free_port()
    command = ["backend", "serve", "--port", str(port), "--checkpoints", str(folder.parent)]
    wanted = scripts and installed("bertviz")
    if not wanted:
        print("  BertViz is left out: " + ("it is not installed" if scripts else "no --scripts"))
    for T in lengths:
        print(f"  T={T}: bytes, time to the first map, to another layer (of the processor)")
        with server(command, port):
            ours(f"http://127.0.0.1:{port}/en/lab/{folder.name}", T, rounds)
        if wanted:
            attentions = attentions_of(folder, T)
            for view in ("head_view", "model_view"):
                bertviz(view, attentions, attention_models.words(T), scripts, folder / "page.html")
