"""What a class does to a server, one thing after another. Each phase returns its figures."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.load.figures import jain, percentile
from tests.load.readers import Reader, Seen, Server

HEALTH_EVERY = 0.05  # seconds
MOST = 5000  # characters of a text
ROUND = 500  # cancellations


async def students(server: Server, code: str, count: int) -> list[str]:
    """The cookies of so many students, who come ten at a time."""
    cookies: list[str] = []
    while len(cookies) < count:
        more = min(10, count - len(cookies))
        cookies += await asyncio.gather(*(server.join(code) for _ in range(more)))
    return cookies


class Class:
    """Readers who are there at once: `steady` ones, `bursty` ones who read now and then, and
    `leaving` ones who go at a random moment and ask anew. Reader k belongs to student
    k modulo the number of cookies."""

    def __init__(
        self, server: Server, cookies: Sequence[str], steady: int, bursty: int = 0, leaving: int = 0
    ):
        self.server, self.cookies = server, cookies
        self.kinds = ["steady"] * steady + ["bursty"] * bursty + ["leaving"] * leaving
        self.seen: dict[str, list[Seen]] = defaultdict(list)  # by kind
        self.refused: dict[int, int] = defaultdict(int)  # by status
        self._open: set[Reader] = set()
        self._tasks: list[asyncio.Task] = []

    def start(self) -> None:
        """Everybody asks."""
        self._tasks = [
            asyncio.create_task(self._read(k, kind)) for k, kind in enumerate(self.kinds)
        ]

    async def _read(self, number: int, kind: str) -> None:
        chance = random.Random(number)
        cookie = self.cookies[number % len(self.cookies)]
        while True:
            rests = chance if kind == "bursty" else None
            seed = chance.randrange(1 << 30)
            reader = await self.server.open(cookie, cookie, MOST, seed, rests)
            self._open.add(reader)
            self.seen[kind].append(reader.seen)
            stay = chance.uniform(0.05, 3.0) if kind == "leaving" else None
            await asyncio.wait([reader.done], timeout=stay)
            reader.transport.abort()
            self._open.discard(reader)
            if reader.seen.status not in (0, 200):
                self.refused[reader.seen.status] += 1
                await asyncio.sleep(1.0)

    async def stop(self) -> None:
        """Everybody goes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        for reader in self._open:
            reader.transport.abort()
        for task in self._tasks:
            if not task.cancelled() and task.exception():
                raise task.exception()


async def health(server: Server, waits: list[float]) -> None:
    """Ask /healthz again and again over one connection, for ever; notes the seconds of each."""
    request = f"{server.head('GET', '/healthz')}\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        while True:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            fields = head.lower().split(b"content-length: ")[1]
            await reader.readexactly(int(fields.split(b"\r\n")[0]))
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(HEALTH_EVERY)
    finally:
        writer.close()


async def measure(room: Class, seconds: float, settle: float = 2.0) -> dict:
    """Let a class read for so long; what is told of shares is told of its steady readers."""
    server, waits = room.server, []
    room.start()
    await asyncio.sleep(settle)
    asking = asyncio.create_task(health(server, waits))
    before, start = await server.counts(), time.perf_counter()
    await asyncio.sleep(seconds)
    after, stop = await server.counts(), time.perf_counter()
    asking.cancel()
    await room.stop()
    rate = (after["unrolled_steps_total"] - before["unrolled_steps_total"]) / (stop - start)
    everybody = [seen for kind in room.seen.values() for seen in kind]
    steady = [seen for seen in room.seen["steady"] if seen.ended is None or seen.ended > stop]
    shares = [seen.within(start, stop) for seen in steady]
    by_student: dict[str, int] = defaultdict(int)
    for seen, share in zip(steady, shares, strict=True):
        by_student[seen.who] += share
    gaps = [gap for seen in steady for gap in seen.gaps(start, stop)]
    late = [seen for seen in everybody if seen.began > start]  # who came into the crowd
    firsts = [seen.first for seen in late or everybody if seen.first is not None]
    total = sum(seen.within(start, stop) for seen in everybody)
    crowd = {  # what is told of a crowd of equals; steps: those that its peers took part in
        "longest_idle_steps": max(gaps) * percentile(shares, 0.5) / (stop - start),
        "jain_streams": jain(shares),
    }
    return {
        "streams": len(room.kinds),
        "students": len(set(room.cookies)),
        "first_median_ms": 1e3 * percentile(firsts, 0.5),
        "first_p95_ms": 1e3 * percentile(firsts, 0.95),
        "first_p99_ms": 1e3 * percentile(firsts, 0.99),
        "gap_p50_ms": 1e3 * percentile(gaps, 0.5),
        "gap_p99_ms": 1e3 * percentile(gaps, 0.99),
        "gap_max_ms": 1e3 * max(gaps),
        "characters_per_s": total / (stop - start),
        "steps_per_s": rate,
        "slowest_characters_per_s": min(shares) / (stop - start),
        **(crowd if len(shares) > 1 and len(set(room.cookies)) == len(room.cookies) else {}),
        "jain_students": jain(list(by_student.values())),
        "healthz_p50_ms": 1e3 * percentile(waits, 0.5),
        "healthz_p99_ms": 1e3 * percentile(waits, 0.99),
        "refused": dict(room.refused),
    }


async def cancel(server: Server, cookies: Sequence[str], count: int, at_once: int = 48) -> dict:
    """Ask and go away `count` times, each at a random moment of the exchange; what is left.

    Now and then everybody waits until the server has seen them go: a client is faster at opening
    connections and leaving them than any server, which bounds how many it holds.
    """
    chance, begun = random.Random(7), 0

    async def leave(until: int) -> None:
        nonlocal begun
        while begun < until:
            begun += 1
            cookie = chance.choice(cookies)
            moment = chance.random()
            if moment < 0.2:  # in the middle of the request's body
                request = server.request(cookie, MOST, begun)
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(request[: chance.randrange(1, len(request))])
                await asyncio.sleep(chance.random() * 0.01)
                writer.transport.abort()
                continue
            reader = await server.open(cookie, cookie, MOST, begun)
            if moment < 0.6:  # before the first event, or soon after it
                await asyncio.sleep(chance.random() * 0.03)
            else:
                await asyncio.sleep(chance.random() * 0.3)
            reader.transport.abort()

    began = time.perf_counter()
    while begun < count:
        until = min(count, begun + ROUND)
        await asyncio.gather(*(leave(until) for _ in range(at_once)))
        counts = await settled(server)
    seconds = time.perf_counter() - began
    return {
        "cancelled": begun,
        "cancellations_per_s": begun / seconds,
        "leaked_rows": counts["unrolled_leaked_rows"],
        "streams_left": counts['unrolled_streams{state="active"}']
        + counts['unrolled_streams{state="queued"}'],
        "bytes_reserved": counts['unrolled_held_bytes{what="unread"}'],
    }


async def settled(server: Server, seconds: float = 10.0) -> dict[str, float]:
    """The counts once nothing runs or waits, or after so many seconds."""
    until = time.perf_counter() + seconds
    while True:
        counts = await server.counts()
        under_way = sum(counts[f'unrolled_streams{{state="{s}"}}'] for s in ("active", "queued"))
        if not under_way or time.perf_counter() > until:
            return counts
        await asyncio.sleep(0.05)


async def terminate(server: Server, cookies: Sequence[str], streams: int, process) -> dict:
    """Tell the server to stop while everybody reads; whether each stream ended with its frame."""
    readers = [
        await server.open(cookies[k % len(cookies)], cookies[k % len(cookies)], MOST, k)
        for k in range(streams)
    ]
    patience = time.perf_counter() + 30
    while not all(reader.seen.arrivals for reader in readers) and time.perf_counter() < patience:
        await asyncio.sleep(0.05)
    began = time.perf_counter()
    process.terminate()
    await asyncio.wait([reader.done for reader in readers], timeout=30)
    ended = max(reader.seen.ended or began + 30 for reader in readers) - began
    await asyncio.to_thread(process.wait, 30)
    return {
        "terminated_streams": len(readers),
        "terminated_with_final_frame": sum(reader.seen.final for reader in readers),
        "last_frame_s": ended,
        "process_ended_s": time.perf_counter() - began,
    }


def resident(pid: int) -> float:
    """Megabytes of memory of a process; NaN where the system does not tell."""
    path = Path(f"/proc/{pid}/status")
    if not path.exists():
        return float("nan")
    (line,) = [line for line in path.read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024
