"""From measurements to the table and the plot in docs/."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from html import escape

from . import variants
from .load import Sample
from .rounds import ALGORITHMS, BASE, COLD, FLOOR, HOT, Case, Measured
from .variants import Variant

# What is compared, by how many times the other's requests per second it is to reach at least.
TARGETS: tuple[tuple[str, str, Variant, Variant, float | None], ...] = (
    ("cold", "RS256", variants.GATEHOUSE, variants.NATIVE, 0.95),
    ("cold", "ES256", variants.GATEHOUSE, variants.NATIVE, 1.3),
    ("cold", "EdDSA", variants.GATEHOUSE, variants.NATIVE, 1.2),
    ("cold", "RS256", variants.GATEHOUSE_ALONE, variants.NATIVE, 0.6),
    ("hot", "RS256", variants.GATEHOUSE_CACHED, variants.NATIVE_CACHED, 1.0),
    ("hot", "ES256", variants.GATEHOUSE_CACHED, variants.NATIVE_CACHED, 1.0),
    ("hot", "EdDSA", variants.GATEHOUSE_CACHED, variants.NATIVE_CACHED, 1.0),
    ("hot", "RS256", variants.FLOOR, variants.NATIVE_CACHED, None),
    ("hot", "RS256", variants.GATEHOUSE_CACHED, variants.FLOOR, None),
)
MEBIBYTE = 1 << 20


def rates(samples: Sequence[Sample]) -> list[float]:
    """Requests per second."""
    return [sample.requests_per_second for sample in samples]


def spread(values: Sequence[float], digits: int) -> str:
    """Median, and between which values all of them lie."""
    text = [f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values))]
    return f"{text[0]} ({text[1]}–{text[2]})"


def ratios(one: Sequence[Sample], other: Sequence[Sample], *, of_cpu: bool = False) -> list[float]:
    """How many times as fast the one is, round by round."""
    if of_cpu:
        return [b.cpu_microseconds / a.cpu_microseconds for a, b in zip(one, other, strict=True)]
    return [a / b for a, b in zip(rates(one), rates(other), strict=True)]


def added(samples: Sequence[Sample], base: Sequence[Sample]) -> list[float]:
    """Microseconds that the filter adds to a request, round by round."""
    return [1e6 / a - 1e6 / b for a, b in zip(rates(samples), rates(base), strict=True)]


def markdown(measured: Measured) -> str:
    """The part of docs/performance.md that a run writes."""
    lines = [
        f"Measured on {measured.date}: {measured.machine}; Envoy {measured.envoy}, one worker; "
        f"{measured.rounds} rounds of {measured.seconds:g} s for each line, in turns.",
        "",
        "| what is compared | requests/s, ratio | by CPU time, ratio | aimed at |",
        "|---|---|---|---|",
    ]
    for temperature, algorithm, one, other, aim in TARGETS:
        pair = [measured.samples[Case(temperature, algorithm, variant).name] for variant in (one, other)]
        lines.append(
            f"| {temperature}, {algorithm}: {one.title} / {other.title} | **{spread(ratios(*pair), 2)}** "
            f"| {spread(ratios(*pair, of_cpu=True), 2)} | {f'≥ {aim:g}' if aim else ''} |"
        )
    lines += [
        "",
        "| | requests/s | µs added to a request | CPU µs of a request | p99, ms |",
        "|---|---|---|---|---|",
        _line("no filter", measured.samples[BASE.name], None),
    ]
    base = measured.samples[BASE.name]
    lines.append(_line(f"hot: {FLOOR.variant.title}", measured.samples[FLOOR.name], base))
    for temperature, all_of in (("cold", COLD), ("hot", HOT)):
        for algorithm in ALGORITHMS:
            for variant in all_of:
                samples = measured.samples[Case(temperature, algorithm, variant).name]
                lines.append(_line(f"{temperature}, {algorithm}: {variant.title}", samples, base))
    lines += [
        "",
        "| before the first request | ready after, s | on a core, s | memory, MiB | a further worker, MiB |",
        "|---|---|---|---|---|",
    ]
    names = {variant.name: variant.title for variant in variants.ALL}
    for name, start in measured.starts.items():
        memory = f"{start.resident_bytes / MEBIBYTE:.0f} | {start.bytes_of_a_further_worker / MEBIBYTE:.1f}"
        lines.append(f"| {names[name]} | {start.seconds:.2f} | {start.cpu_seconds:.2f} | {memory} |")
    lines += [
        "",
        f"The plugin is {measured.plugin_bytes / MEBIBYTE:.2f} MiB. Of the cold tokens, Gatehouse's cache knew "
        f"{measured.known_cold_tokens:.1%} all the same.",
    ]
    return "\n".join(lines)


def _line(title: str, samples: Sequence[Sample], base: Sequence[Sample] | None) -> str:
    more = spread(added(samples, base), 1) if base is not None else ""
    cpu = spread([sample.cpu_microseconds for sample in samples], 1)
    slowest = statistics.median(sample.p99_microseconds for sample in samples) / 1000
    return f"| {title} | {spread(rates(samples), 0)} | {more} | {cpu} | {slowest:.1f} |"


COLOURS = {
    "native": "#8a8f98",
    "native-cached": "#8a8f98",
    "gatehouse": "#1f6feb",
    "gatehouse-alone": "#79b0ff",
    "gatehouse-cached": "#1f6feb",
}
PLOTTED: dict[str, tuple[Variant, ...]] = {
    "cold": (variants.NATIVE, variants.GATEHOUSE, variants.GATEHOUSE_ALONE),
    "hot": HOT,
}
WIDTH, LEFT, RIGHT, BAR, GAP = 760, 230, 90, 16, 22


def plot(measured: Measured) -> str:
    """Requests per second as bars, each with a line from its slowest to its fastest round."""
    bars: list[str] = []
    base = statistics.median(rates(measured.samples[BASE.name]))
    most = max(max(rates(samples)) for samples in measured.samples.values())
    scale = (WIDTH - LEFT - RIGHT) / most
    y = 56.0
    for temperature, all_of in PLOTTED.items():
        for algorithm in ALGORITHMS:
            what = "tokens never seen before" if temperature == "cold" else "known tokens"
            bars.append(_text(12, y - 6, f"{algorithm}, {what}", weight="600"))
            for variant in all_of:
                values = rates(measured.samples[Case(temperature, algorithm, variant).name])
                middle, low, high = statistics.median(values), min(values), max(values)
                centre = y + BAR / 2
                bars += [
                    _text(LEFT - 8, y + BAR - 4, variant.title, anchor="end"),
                    f'<rect x="{LEFT}" y="{y:.0f}" width="{middle * scale:.1f}" height="{BAR}" '
                    f'fill="{COLOURS[variant.name]}"/>',
                    f'<line x1="{LEFT + low * scale:.1f}" x2="{LEFT + high * scale:.1f}" y1="{centre:.0f}" '
                    f'y2="{centre:.0f}" stroke="#111" stroke-width="1.5"/>',
                    _text(LEFT + high * scale + 6, y + BAR - 4, f"{middle:,.0f}"),
                ]
                y += BAR + 4
            y += GAP
    height = round(y + 8)
    mark = LEFT + base * scale
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            'font-family="system-ui, sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            _text(12, 20, f"Requests/s of one worker. {measured.machine}, Envoy {measured.envoy}", weight="600"),
            f'<line x1="{mark:.1f}" x2="{mark:.1f}" y1="38" y2="{height - 8}" '
            'stroke="#b42318" stroke-dasharray="4 3"/>',
            _text(mark, 34, "no filter", anchor="middle"),
            *bars,
            "</svg>",
            "",
        ]
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "400") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
