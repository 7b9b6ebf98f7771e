"""A plot as SVG text: for each workload, the others' time as a multiple of ours, on a logarithmic scale."""

import math

WIDTH = 760
LEFT = 56
RIGHT = 20
TOP = 46
ROW = 26
COLORS = {
    "DuckDB": "#d9a400",
    "Polars": "#2f7de1",
    "DataFusion": "#d9482b",
    "chDB": "#7b4fc9",
    "Daft": "#c2418c",
}
INK, FAINT, PAPER, OURS = "#333333", "#d8d8d8", "#ffffff", "#12805c"


def plot(points: dict[str, dict[str, float]]) -> str:
    """`points`: workload -> engine -> multiple. Left of the line at 1 is faster than ours."""
    every = [multiple for row in points.values() for multiple in row.values()] or [1.0]
    low = min(0.5, *every) * 0.9
    high = max(10.0, *every) * 1.1
    height = TOP + ROW * len(points) + 34

    def x(multiple: float) -> float:
        share = math.log(multiple / low) / math.log(high / low)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    bottom = TOP + ROW * len(points)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
    ]
    for i, (engine, color) in enumerate(COLORS.items()):
        lines.append(f'<circle cx="{LEFT + 6 + i * 104}" cy="18" r="5" fill="{color}"/>')
        lines.append(f'<text x="{LEFT + 17 + i * 104}" y="22" fill="{INK}">{engine}</text>')
    lines.append(f'<text x="{LEFT + 11 + 5 * 104}" y="22" fill="{OURS}">| karyaksham = 1</text>')
    for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        if low <= tick <= high:
            color, width = (OURS, 2) if tick == 1 else (FAINT, 1)
            lines.append(
                f'<line x1="{x(tick)}" y1="{TOP - 8}" x2="{x(tick)}" y2="{bottom}" '
                f'stroke="{color}" stroke-width="{width}"/>'
            )
            lines.append(
                f'<text x="{x(tick)}" y="{bottom + 18}" text-anchor="middle" fill="{INK}">{tick:g}x</text>'
            )
    for row, (name, multiples) in enumerate(points.items()):
        y = TOP + ROW * row + ROW // 2
        lines.append(f'<text x="8" y="{y + 4}" fill="{INK}">{name}</text>')
        lines.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="{FAINT}"/>')
        for engine, multiple in multiples.items():
            lines.append(
                f'<circle cx="{x(multiple)}" cy="{y}" r="5" fill="{COLORS[engine]}">'
                f"<title>{name} {engine}: {multiple:.2f} times ours</title></circle>"
            )
    return "\n".join([*lines, "</svg>", ""])
