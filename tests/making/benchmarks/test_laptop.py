import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_split_adds_up(tmp_path):
    entries = [
        {"name": "01_a", "duration": 10.0, "stages": {"imports": 2.0, "training": 5.0}},
        {"name": "02_b", "duration": 4.0, "stages": {"features": 1.0}},
        {"name": "03_c", "duration": None, "stages": {}},
    ]
    environment = {"cores": 2, "torch": "2.11.0"}
    summary = {"profile": "laptop", "status": "succeeded", "environment": environment, "duration": 15.0}
    (tmp_path / "summary.json").write_text(json.dumps(summary | {"notebooks": entries}))
    command = [sys.executable, "-m", "making.benchmarks.laptop", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[1] == ["total", "imports", "features", "training", "rest"]
    assert rows[2] == ["01_a", "10.0", "2.0", "0.0", "5.0", "3.0"]
    assert rows[4] == ["sum", "14.0", "2.0", "1.0", "5.0", "6.0"]
