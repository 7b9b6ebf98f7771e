"""Figures in words: on the terminal, and in docs/performance.md between two markers with a plot beside it."""

from pathlib import Path
from typing import Any

from tests.bench.contenders import ENGINES, OURS
from tests.bench.plot import plot
from tests.bench.workloads import WORKLOADS

BEGIN = "<!-- figures: written by make bench -->"
END = "<!-- end of figures -->"
MB = 1_000_000
TITLES = {"duckdb": "DuckDB", "polars": "Polars", "datafusion": "DataFusion", "chdb": "chDB", "daft": "Daft"}
TITLES[OURS] = OURS
Figures = dict[str, Any]


def conditions(told: Figures) -> str:
    """What figures were measured on and with, in one paragraph."""
    versions = ", ".join(f"{TITLES[name]} {number}" for name, number in told["versions"].items())
    return (
        f"{told['cpu']}, {told['cpus']} CPUs, {told['memory_bytes'] / (1 << 30):.0f} GiB, {told['system']}, "
        f"Python {told['python']}; {told['threads']} threads, scale {told['scale']:g}, page cache warm; medians of "
        f"{told['runs']} runs; {versions}."
    )


def best(told: Figures, engine: str, key: str = "contenders") -> Figures | None:
    """The fastest sound contender of an engine."""
    sound = [c for c in told.get(key, []) if c["engine"] == engine and not c.get("fault")]
    return min(sound, key=seconds, default=None)


def seconds(contender: Figures) -> float:
    """Readings that were too slow to take turns come last."""
    return float(contender.get("median_s", contender["first_s"] + 1e6))


def fault(told: Figures, engine: str, key: str = "contenders") -> str:
    """What the first contender of an engine said when none was sound."""
    faults = [c["fault"] for c in told.get(key, []) if c["engine"] == engine and c.get("fault")]
    return " ".join(faults[0].split()) if faults else "not measured"


def ratio(told: Figures) -> tuple[float, str] | None:
    """The best of the others as a multiple of ours, and who that is."""
    ours = best(told, OURS)
    others = [c for engine in ENGINES if (c := best(told, engine))]
    if ours is None or not others:
        return None
    fastest = min(others, key=seconds)
    return seconds(fastest) / seconds(ours), fastest["engine"]


def verdict(told: Figures) -> str:
    """How ours stands to the best of the others."""
    if best(told, OURS) is None:
        return f"not yet: {fault(told, OURS)}"
    found = ratio(told)
    if found is None:
        return "nothing to compare with"
    return f"best peer / {OURS} = {found[0]:.2f} ({found[1]}), results equal"


def table(told: Figures) -> str:
    """For the terminal: one line a contender; the ratio is its time as a multiple of ours."""
    ours = best(told, OURS)
    columns = f"{'median s':>9} {'min-max':>13} {'cpu s':>6} {'GB/s':>6} {'peak MB':>8} {'own MB':>7}"
    lines = [f"    {'':16} {columns} {'rows':>9} {'ratio':>6}"]
    for c in told["contenders"]:
        name = OURS if c["engine"] == OURS else f"{c['engine']} {c['reading']}"
        if c.get("fault"):
            lines.append(f"    {name:16} {'not yet' if c['engine'] == OURS else 'FAILED'}: {c['fault']}")
        elif "median_s" not in c:
            lines.append(f"    {name:16} {c['first_s']:9.3f}  (once: much slower than another reading)")
        else:
            spread = f"{min(c['seconds']):.2f}-{max(c['seconds']):.2f}"
            lines.append(
                f"    {name:16} {c['median_s']:9.3f} {spread:>13} {c['cpu_s']:6.2f}"
                f" {told['bytes'] / c['median_s'] / 1e9:6.2f} {c['peak_bytes'] / MB:8,.0f}"
                f" {c['own_bytes'] / MB:7,.0f} {c.get('rows', 0):9,}"
                + (f" {c['median_s'] / seconds(ours):6.2f}" if ours else "")
            )
    return "\n".join(lines)


def limited_table(told: Figures, limit: int) -> str:
    """For the terminal: what came of the run under a limit of memory."""
    lines = [f"    told to keep to {limit / MB:,.0f} MB, once:"]
    for c in told["limited"]:
        lines.append(f"    {c['engine']:16} {limited_cell(c, limit)}")
    return "\n".join(lines)


def limited_cell(contender: Figures, limit: int) -> str:
    if contender.get("fault"):
        return "not yet" if contender["engine"] == OURS else "fails"
    over = "" if contender["own_bytes"] <= limit else " (over)"
    return f"{contender['first_s']:.1f} s, {contender['own_bytes'] / MB:,.0f} MB{over}"


def markdown(figures: Figures) -> str:
    """Everything between the markers."""
    workloads = {name: figures["workloads"][name] for name in WORKLOADS if name in figures["workloads"]}
    limit = figures["conditions"]["memory_limit_bytes"]
    limited = {name: told for name, told in workloads.items() if "limited" in told}
    blocks = [
        conditions(figures["conditions"]),
        f"![Time of the others as a multiple of ours]({plot_of(Path('performance.md')).name})",
        "Seconds of the whole process, each engine in its best reading:",
        grid(workloads, time_cell, last=ratio_cell),
        "Peak memory in MB, resident / its own (without pages of files that it maps):",
        grid(workloads, memory_cell),
    ]
    if limited:
        blocks += [
            f"Told to keep to {limit / (1 << 30):g} GiB of memory, once; seconds, and the most memory of its own:",
            grid(limited, lambda told, engine: limited_of(told, engine, limit)),
        ]
    blocks += [
        "### Where we lose",
        "\n".join(losses(workloads)),
        "### What failed",
        "\n".join(failures(workloads)),
    ]
    return "\n\n".join(blocks)


def grid(workloads: Figures, cell: Any, last: Any = None) -> str:
    engines = [OURS, *ENGINES]
    head = ["", *(TITLES[engine] for engine in engines), *(["best peer / ours"] if last else [])]
    lines = [head, ["---"] * len(head)]
    for name, told in workloads.items():
        cells = [cell(told, engine) for engine in engines]
        lines.append([f"{name} {WORKLOADS[name].title}", *cells, *([last(told)] if last else [])])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def time_cell(told: Figures, engine: str) -> str:
    found = best(told, engine)
    if found is None:
        return "not yet" if engine == OURS else "fails"
    found_ratio = ratio(told)
    text = f"{seconds(found):.2f}"
    return (
        f"**{text}**" if found_ratio and engine == (OURS if found_ratio[0] >= 1 else found_ratio[1]) else text
    )


def ratio_cell(told: Figures) -> str:
    found = ratio(told)
    return f"{found[0]:.2f} ({TITLES[found[1]]})" if found else ""


def memory_cell(told: Figures, engine: str) -> str:
    found = best(told, engine)
    return f"{found['peak_bytes'] / MB:,.0f} / {found['own_bytes'] / MB:,.0f}" if found else ""


def limited_of(told: Figures, engine: str, limit: int) -> str:
    for contender in told["limited"]:
        if contender["engine"] == engine:
            return limited_cell(contender, limit)
    return ""


def losses(workloads: Figures) -> list[str]:
    """Where another engine is faster, or takes much less memory."""
    lines: list[str] = []
    for name, told in workloads.items():
        ours, found = best(told, OURS), ratio(told)
        if ours is None:
            lines.append(f"- {name}: ours does not do it yet ({fault(told, OURS)}).")
            continue
        if found and found[0] < 1:
            other = best(told, found[1])
            assert other is not None
            lines.append(
                f"- {name}: {TITLES[found[1]]} takes {seconds(other):.2f} s, ours {seconds(ours):.2f} s"
                f" ({1 / found[0]:.2f} times as long)."
            )
        for key, words in (("peak_bytes", "resident"), ("own_bytes", "of its own")):
            others = [c for engine in ENGINES if (c := best(told, engine))]
            leanest = min(others, key=lambda c: float(c[key]), default=None)
            if leanest and ours[key] > 1.5 * leanest[key]:
                lines.append(
                    f"- {name}: {TITLES[leanest['engine']]} needs {leanest[key] / MB:,.0f} MB {words},"
                    f" ours {ours[key] / MB:,.0f} MB."
                )
    for name, told in workloads.items():
        if "limited" in told and best(told, OURS, "limited") is None and best(told, OURS):
            lines.append(f"- {name} under the limit of memory: {fault(told, OURS, 'limited')}")
    return lines or ["- Nowhere in this run."]


def failures(workloads: Figures) -> list[str]:
    """Contenders of others that gave no result, or another one than the rest."""
    lines = [
        f"- {name}{under}, {TITLES[c['engine']]} {c['reading']}: {' '.join(c['fault'].split())[-160:]}"
        for name, told in workloads.items()
        for key, under in (("contenders", ""), ("limited", " under the limit"))
        for c in told.get(key, [])
        if c.get("fault") and c["engine"] != OURS
    ]
    return lines or ["- None of the others."]


def plot_of(page: Path) -> Path:
    return page.with_suffix(".svg")


def write(page: Path, figures: Figures) -> None:
    """Put the figures between the markers of `page`, and the plot beside it. What is around them stays."""
    text = page.read_text() if page.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, marker, after = rest.partition(END)
    if not marker:
        raise SystemExit(f"bench: {page} has no lines {BEGIN!r} and {END!r} to write between.")
    page.write_text(f"{before}{BEGIN}\n\n{markdown(figures)}\n\n{END}{after}")
    plot_of(page).write_text(plot(points(figures)))


def points(figures: Figures) -> dict[str, dict[str, float]]:
    """For each workload, the time of each engine as a multiple of ours."""
    found: dict[str, dict[str, float]] = {}
    for name in WORKLOADS:
        told = figures["workloads"].get(name)
        ours = best(told, OURS) if told else None
        if told and ours:
            times = {TITLES[engine]: best(told, engine) for engine in ENGINES}
            found[name] = {title: seconds(c) / seconds(ours) for title, c in times.items() if c}
    return found
