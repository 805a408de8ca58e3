"""`airline-rnn`, `airline-lstm` and `airline-gru`: forecasters of four units, by the book.

Every pair of the training part in one batch, the mean squared error of the scaled numbers, Adam at
0.01, 2000 epochs; ten seeds for each of four windows. Which of the forty networks is kept is
chosen by the validation part. The test part is looked at once, for the figures: of all forty, so
that the card can tell what a network of this recipe reaches on the whole, not the luckiest one.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

import torch

from models import airline
from models.airline import TEST, TRAIN, VALIDATION, Scale
from models.cells import CellName
from models.checkpoint import write_checkpoint, write_file
from models.forecaster import Forecaster, ForecasterConfig, ForecastRunner
from models.training import side_by_side

CELLS: dict[str, CellName] = {
    "airline-rnn": "rnn_tanh",
    "airline-lstm": "lstm",
    "airline-gru": "gru",
}
TITLES = {"rnn_tanh": "plain RNN", "lstm": "LSTM", "gru": "GRU"}
WINDOWS, SEEDS = (2, 8, 12, 32), 10
EPOCHS, LEARNING_RATE, HIDDEN = 2000, 0.01, 4
PARTS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
AHEAD = "test_fed_back"  # the test part forecast from the end of 1958 alone


def train(
    cell: CellName, window: int, seeds: Sequence[int], epochs: int = EPOCHS
) -> tuple[list[Forecaster], torch.Tensor]:
    """The trained networks, and their losses in scaled units before each epoch (epochs, S)."""
    values = airline.series()
    scale = Scale.fit(values[TRAIN])
    high = scale.low + scale.span
    config = ForecasterConfig(cell, HIDDEN, window=window, low=scale.low, high=high)
    x, y = airline.part(scale.apply(values), window, TRAIN)
    return side_by_side.train(config, seeds, x, y, epochs, LEARNING_RATE)


def figures(network: Forecaster) -> dict[str, float]:
    """RMSE in thousands of passengers: one step ahead on each part, and fed back over the test."""
    runner, values = ForecastRunner(network), airline.series()
    found = {}
    for name, which in PARTS.items():
        x, y = airline.part(values, network.config.window, which)
        found[name] = airline.rmse(runner.predict(x[..., 0]), y[:, 0])
    ahead = runner.ahead(values[: TEST.start], TEST.stop - TEST.start)
    return found | {AHEAD: airline.rmse(ahead, values[TEST])}


def baselines() -> dict[str, dict[str, float]]:
    """The same figures for two forecasts that learn nothing.

    Fed back, the naive forecast stays at the last value, the seasonal one repeats the last year.
    """
    values, found = airline.series(), {}
    last_year = values[TEST.start - airline.SEASON : TEST.start]
    fed = {"naive": last_year[-1].expand(24), "seasonal_naive": last_year.repeat(2)}
    for name, forecast in (
        ("naive", airline.naive),
        ("seasonal_naive", airline.seasonal_naive),
    ):
        found[name] = {}
        for label, part in PARTS.items():
            which = slice(max(part.start, airline.SEASON), part.stop)
            found[name][label] = airline.rmse(forecast(values, which), values[which])
        found[name][AHEAD] = airline.rmse(fed[name], values[TEST])
    return found


def measure(cell: CellName, file: Path, windows=WINDOWS, seeds: int = SEEDS) -> list[dict]:
    """Train and measure every window and seed; a line each in a file, from which a run goes on."""
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    rows = [json.loads(line) for line in lines]
    file.parent.mkdir(parents=True, exist_ok=True)
    for window in windows:
        if any(row["window"] == window for row in rows):
            continue
        networks, _ = train(cell, window, range(seeds))
        new = [
            {"window": window, "seed": seed, **figures(network)}
            for seed, network in enumerate(networks)
        ]
        rows += new
        write_file(file, "".join(json.dumps(row) + "\n" for row in rows))
        print(cell, window, by_window(new), flush=True)
    return rows


def by_window(rows: list[dict]) -> dict[str, dict[str, dict[str, float]]]:
    """Mean and standard deviation over the seeds of every figure, by the window."""
    found = {}
    for window in sorted({row["window"] for row in rows}):
        of = [row for row in rows if row["window"] == window]
        found[str(window)] = {
            name: {
                "mean": round(mean(row[name] for row in of), 2),
                "deviation": round(stdev(row[name] for row in of), 2),
            }
            for name in (*PARTS, AHEAD)
        }
    return found


def make(name: str, folder: Path, run: Path) -> None:
    """Train all, keep the best of the validation part, measure its stored weights, write it."""
    cell = CELLS[name]
    rows = measure(cell, run / "seeds.jsonl")
    best = min(rows, key=lambda row: row["validation"])
    networks, losses = train(cell, best["window"], range(SEEDS))
    network = networks[best["seed"]]
    network.load_state_dict({k: v.half().float() for k, v in network.state_dict().items()})
    found = {key: round(value, 2) for key, value in figures(network).items()}
    simple = {
        key: {part: round(value, 2) for part, value in of.items()}
        for key, of in baselines().items()
    }
    spread = by_window(rows)
    better = {
        key: sum(row["test"] < simple[key]["test"] for row in rows)
        for key in ("naive", "seasonal_naive")
    }
    about = {
        "kind": Forecaster.kind,
        "title": f"Airline passengers, {TITLES[cell]}",
        "licence": "CC0-1.0",
        "data": {
            "series": "AirPassengers",
            "first": airline.month_name(0),
            "values": len(airline.MONTHS),
        },
        "config": network.config.to_dict(),
        "figures": {
            "rmse": found,
            **{f"{key}_rmse": of for key, of in simple.items()},
            "by_window": spread,
            "networks": len(rows),
            "better_than": better,
        },
        "training": {
            "epochs": EPOCHS,
            "seed": best["seed"],
            "losses": [round(loss, 6) for loss in losses[:: EPOCHS // 100, best["seed"]].tolist()],
        },
    }
    card = _card(name, cell, best, found, simple, spread, better, len(rows), network.config.high)
    write_checkpoint(folder, about, {}, network.state_dict(), card)
    print(f"{folder}: window {best['window']}, seed {best['seed']}: {found}; {simple}")


def _row(name: str, of: dict[str, float]) -> str:
    return f"| {name} | " + " | ".join(f"{of[key]:.1f}" for key in (*PARTS, AHEAD)) + " |"


def _card(name, cell, best, found, simple, spread, better, count, most) -> str:
    head = (
        "| | 1949 to 1956 (training) | 1957, 1958 (validation) | 1959, 1960 (test) "
        "| test, fed back |\n| --- | --- | --- | --- | --- |"
    )
    own = _row("this network", found)
    simple_rows = "\n".join(_row(key.replace("_", "-"), of) for key, of in simple.items())
    spread_rows = "\n".join(
        f"| window {window} | "
        + " | ".join(
            f"{of[key]['mean']:.1f} ± {of[key]['deviation']:.1f}" for key in (*PARTS, AHEAD)
        )
        + " |"
        for window, of in spread.items()
    )
    return f"""# {name}

The next month's international airline passengers from the {best["window"]} months before it: one
{TITLES[cell]} layer of {HIDDEN} units that reads one number a step, and a linear layer behind its
last state. Adam at {LEARNING_RATE}, {EPOCHS} epochs, all pairs of the training part in one batch.
Numbers are scaled with the minimum and the maximum of the training part.

Data: AirPassengers, 144 monthly totals in thousands, January 1949 to December 1960 (Box and
Jenkins 1976), public figures; they stand in `models/airline.py`.

RMSE in thousands of passengers. One step ahead, each month from the true months before it; and fed
back: all of 1959 and 1960 from the end of 1958, the network reading its own forecasts. Naive: the
month before. Seasonal-naive: the same month a year before. This network is the one of {count}
(windows {", ".join(map(str, WINDOWS))}, seeds 0 to {SEEDS - 1}) with the lowest error on the
validation part; its stored float16 weights were measured.

{head}
{own}
{simple_rows}

All {count} networks, mean and standard deviation over {SEEDS} seeds:

{head}
{spread_rows}

One step ahead on the test part {better["naive"]} of the {count} are better than the naive forecast
and {better["seasonal_naive"]} better than the seasonal-naive one. The summers of 1959 and 1960 lie
far over {most:.0f}, the most that the network was trained on, and what it makes of such numbers no
training has shaped. Use it to see how a network reads numbers, not to forecast.

The command that trained it and measured this: `make train NAME={name}`. Licence of the weights:
CC0.
"""
