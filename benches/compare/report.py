"""Results as Markdown, as a chart, and against a baseline."""

import datetime
import os
import platform
import re
import subprocess
from importlib import metadata
from xml.sax.saxutils import escape

COLORS = {
    "sawmill": "#b45309", "duckdb": "#8a8f00", "polars": "#1d6fb8", "datafusion": "#7e57c2", "pyarrow": "#2e8b57", "chdb": "#c2185b",
    "spark": "#757575",
}


def machine():
    try:
        model = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())[1]
    except (OSError, TypeError):
        model = platform.processor()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    day = datetime.date.today().isoformat()
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory), "system": platform.system(), "day": day}


def versions(sawmill):
    names = ["duckdb", "polars", "datafusion", "pyarrow", "chdb", "pyspark"]
    own = subprocess.run([sawmill, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    installed = {name: version for name in names if (version := found(name))}
    return {"sawmill": own, **installed}


def found(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def markdown(document):
    box = document["machine"]
    lines = [
        f"{box['cores']} cores of {box['cpu']}, {box['memory_gib']} GiB; {document['runs']} rounds, medians; "
        + ", ".join(f"{name} {version}" for name, version in document["versions"].items()),
        "",
        "| workload | engine | wall s | × sawmill's | CPU s | peak MiB | files | output MB |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for workload in document["workloads"]:
        name = f"{workload['name']}: {workload['what']}, {workload['input_bytes'] / 1e6:,.1f} MB"
        for engine, figures in workload["engines"].items():
            ratio = workload["ratios"].get(engine)
            cells = [
                name, engine, f"{figures['wall']:.3f}", f"{ratio:.2f}" if ratio else "", number(figures["cpu"], 2),
                number(figures["peak_mib"], 0), f"{figures['files']:,}", f"{figures['output_bytes'] / 1e6:.1f}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
            name = ""
        for engine, why in workload["failures"].items():
            lines.append(f"| {name} | {engine} | {why.replace('|', '/')[:100]} | | | | | |")
            name = ""
    return "\n".join(lines) + "\n"


def number(value, digits):
    return "–" if value is None else f"{value:,.{digits}f}"


def chart(document):
    """A bar for each engine and workload: how often sawmill's wall time fits into its own."""
    left, bar, gap, width = 190, 13, 16, 520
    ratios = [r for workload in document["workloads"] for r in workload["ratios"].values()] + [1]
    most = min(max(ratios), 12)
    body, y = [], 40
    for workload in document["workloads"]:
        engines = {"sawmill": 1.0, **workload["ratios"]}
        middle = y + len(engines) * bar / 2 + 4
        body.append(f'<text x="{left - 10}" y="{middle}" text-anchor="end">{escape(workload["name"])}</text>')
        for engine, ratio in engines.items():
            length = min(ratio, most) / most * width
            color = COLORS.get(engine, "#999")
            seconds = workload["engines"].get(engine, {}).get("wall")
            label = f"{engine} {ratio:.2f}×" + (f" ({seconds:.2f} s)" if seconds else "")
            body.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar - 2}" fill="{color}"/>')
            body.append(f'<text x="{left + length + 5:.1f}" y="{y + bar - 4}" class="label">{escape(label)}</text>')
            y += bar
        y += gap
    one = left + width / most
    title = f"Wall time over sawmill's, {document['machine']['cores']} cores: longer is slower"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 170} {y + 10}" font-family="sans-serif" font-size="12">'
        "<style>text{fill:#222}.label{font-size:10px}.back{fill:#fff}"
        "@media(prefers-color-scheme:dark){text{fill:#ddd}.back{fill:#161616}}</style>"
        f'<rect class="back" width="100%" height="100%"/><text x="{left}" y="22" font-size="14">{escape(title)}</text>'
        f'<line x1="{one}" x2="{one}" y1="32" y2="{y - gap + 4}" stroke="#999" stroke-dasharray="2 3"/>'
        + "".join(body)
        + "</svg>\n"
    )


def fallen(document, baseline, threshold):
    """Ratios that are lower than in the baseline by more than a share of them."""
    before = {workload["name"]: workload["ratios"] for workload in baseline["workloads"]}
    lines = []
    for workload in document["workloads"]:
        for engine, ratio in workload["ratios"].items():
            was = before.get(workload["name"], {}).get(engine)
            if was and ratio < was * (1 - threshold):
                lines.append(f"{workload['name']}: {engine} took {ratio:.2f} times sawmill's time, {was:.2f} in the baseline")
        if "sawmill" in workload["failures"]:
            lines.append(f"{workload['name']}: {workload['failures']['sawmill']}")
    return lines
