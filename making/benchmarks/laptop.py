"""How long the laptop run takes, and on what: `python -m making.benchmarks.laptop [REPORT]`.

REPORT is the folder of a run that has been made (reports/latest); without it, all notebooks run anew with the
laptop profile. The split comes from papermill's time of each cell and the cells' `stage:` tags; the rest is
everything untagged, the kernel's start included.
"""

import argparse
import json
import tempfile
from pathlib import Path

import pandas as pd

from sernb.notebook.plan import make_plans
from sernb.notebook.run import run

STAGES = ["imports", "features", "training"]


def split(summary):
    """A row a notebook and their sum, in seconds: total, each stage, rest."""
    rows = {
        entry["name"]: {
            "total": entry["duration"],
            **{stage: entry["stages"].get(stage, 0.0) for stage in STAGES},
        }
        for entry in summary["notebooks"]
        if entry["duration"] is not None
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["total", *STAGES])
    table["rest"] = table["total"] - table[STAGES].sum(axis=1)
    table.loc["sum"] = table.sum()
    return table


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("report", nargs="?", type=Path, help="the folder of a report that there is")
    report = parser.parse_args().report
    if report:
        summary = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    else:
        with tempfile.TemporaryDirectory() as folder:
            summary = run(make_plans([], "laptop", {}), Path(folder) / "report", "laptop")
    environment = summary["environment"]
    print(
        f"profile {summary['profile']}, {environment['cores']} cores, torch {environment['torch']}: "
        f"{summary['status']}"
    )
    print(split(summary).round(1).to_string())
    print(f"whole run, pages included: {summary['duration']:.1f} s")


if __name__ == "__main__":
    main()
