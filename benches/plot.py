"""Lines in panels side by side, written as an SVG that needs nothing else."""

import math
from pathlib import Path

WIDTH, HEIGHT = 300, 190
STEP = 400
BOTTOM = 250
COLOURS = ["#1f6f8b", "#c8553d", "#6a8d3f", "#7a5195"]


def short(value):
    """A number of three figures at most."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if size <= value:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


class Axis:
    """Where a value is between 0 and 1; by its order of magnitude when `logarithmic`."""

    def __init__(self, values, logarithmic):
        self.of = math.log10 if logarithmic else float
        placed = [self.of(value) for value in values]
        room = 0.15 * (max(placed) - min(placed))
        self.low = min(placed) - room if logarithmic else 0.0
        self.high = max(placed) + (room if logarithmic else 0.15 * max(placed))

    def at(self, value):
        return (self.of(value) - self.low) / (self.high - self.low)


def draw(path, label, places, panels, logarithmic=False):
    """`panels` are (title, aim or none, {name: values at `places`}); an aim is a dashed line."""
    width = 60 + STEP * len(panels)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="300" font-family="sans-serif" font-size="12">']
    out.append(f'<rect width="{width}" height="300" fill="white"/>')
    across = Axis(places, logarithmic)
    for number, (title, aim, lines) in enumerate(panels):
        left = 60 + STEP * number
        every = [value for values in lines.values() for value in values]
        up = Axis(every + ([aim] if aim else []), logarithmic)
        x = lambda place: left + WIDTH * across.at(place)
        y = lambda value: BOTTOM - HEIGHT * up.at(value)
        out.append(f'<text x="{left - 20}" y="30" font-weight="bold">{title}</text>')
        out.append(f'<path d="M{left} {BOTTOM - HEIGHT}V{BOTTOM}H{left + WIDTH}" fill="none" stroke="#444"/>')
        if aim:
            out.append(f'<path d="M{left} {y(aim):.1f}H{left + WIDTH}" stroke="#999" stroke-dasharray="4 3"/>')
            out.append(f'<text x="{left - 6}" y="{y(aim) + 4:.1f}" text-anchor="end">{short(aim)}</text>')
        for place in places:
            out.append(f'<text x="{x(place):.1f}" y="{BOTTOM + 18}" text-anchor="middle">{short(place)}</text>')
        for (name, values), colour in zip(lines.items(), COLOURS):
            points = [(x(place), y(value)) for place, value in zip(places, values)]
            line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
            out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
            for (a, b), value in zip(points, values):
                out.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>')
                out.append(f'<text x="{a:.1f}" y="{b - 7:.1f}" text-anchor="middle" fill="{colour}">{short(value)}</text>')
            a, b = points[-1]
            out.append(f'<text x="{a + 8:.1f}" y="{b + 4:.1f}" fill="{colour}">{name}</text>')
        out.append(f'<text x="{left + WIDTH / 2}" y="285" text-anchor="middle">{label}</text>')
    out.append("</svg>")
    Path(path).write_text("\n".join(out) + "\n")
