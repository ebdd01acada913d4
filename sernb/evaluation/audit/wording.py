"""The findings as text to read and as JSON for programs."""

import json
import math
import textwrap

import pandas as pd

from sernb.evaluation.audit.finding import SEVERITIES

WIDTH = 110  # columns of text


def as_text(findings: pd.DataFrame, title: str) -> str:
    """Findings as paragraphs, gravest first, with the utterances to listen to, and a count at the end."""
    lines = [f"{title}: {_folds(findings)}", ""]
    for (severity, sentence), rows in findings.groupby(["severity", "finding"], sort=False):
        lines.append(f"{severity.upper()}: {', '.join(rows['check'])}")
        lines += _wrapped(sentence)
        if (ids := rows["utterances"].iloc[0]) and severity != "fine":
            lines += _wrapped(f"Listen to: {', '.join(ids)}")
        lines.append("")
    counts = findings["severity"].value_counts()
    total = ", ".join(f"{severity} {counts.get(severity, 0)}" for severity in SEVERITIES)
    return "\n".join([*lines, f"In all: {total}."])


def as_json(findings: pd.DataFrame, **about) -> str:
    """Valid JSON (what is not a number is null): `about`, protocol, folds, and a list of findings."""
    rows = [
        row | {"value": None if not math.isfinite(row["value"]) else row["value"]}
        for row in findings.to_dict("records")
    ]
    return json.dumps(
        {**about, **findings.attrs, "findings": rows}, ensure_ascii=False, indent=2, allow_nan=False
    )


def _folds(findings: pd.DataFrame) -> str:
    folds = findings.attrs["folds"]
    return f"{findings.attrs['protocol']}, {folds} fold{'' if folds == 1 else 's'}"


def _wrapped(sentence: str) -> list[str]:
    return textwrap.wrap(
        sentence,
        WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
