import json

import pytest
from typer.testing import CliRunner

from sernb.cli import app
from sernb.core.errors import SernbError
from sernb.models.three_m_ser import ThreeMSER, ThreeMSERConfig, assemble
from sernb.models.vggish import VGGishConfig
from sernb.studies import sizes
from sernb.studies.sizes import inference_times
from tests.studies.two_streams import encoders

# Tables I and II as printed, and the true totals
PRINTED = {
    12: ("85.65", "157.91", 184_176_068),
    6: ("43.12", "115.38", 141_648_836),
    4: ("28.94", "101.21", 127_473_092),
    2: ("14.77", "87.03", 113_297_348),
}


def test_tables_one_and_two_to_the_printed_digits():
    table = sizes.tables()
    for layers, (one, two, total) in PRINTED.items():
        row = table.loc[layers]
        assert f"{row['text_published'] / 1e6:.2f}" == one
        assert f"{row['published'] / 1e6:.2f}" == two
        assert row["all"] == total
    assert round(100 * table.loc[2, "smaller_published"], 1) == 44.9
    assert round(100 * table.loc[2, "smaller_all"], 1) == 38.5


def test_the_modules_are_all_there_is():
    table = sizes.modules(sizes.of_depth(None, 12))
    assert table.loc["VGGish", "all"] == 72_141_184
    assert table.loc["linear layers and norms", "all"] == 124_228
    assert table.loc["text attention", "all"] == 2_362_368 and table.loc["fusion attention", "all"] == 66_048
    small = ThreeMSERConfig(
        text={"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 1},
        audio=VGGishConfig((2, 2, 4, 4, 4, 4), (8, 8), 16),
    )
    for streams in (("text", "audio"), ("text",), ("audio",)):
        model = ThreeMSER(ThreeMSERConfig(**{**vars(small), "streams": streams}))
        assert sizes.modules(model)["all"].sum() == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_the_command_prints_them(option):
    result = CliRunner().invoke(app, ["params", *option])
    assert result.exit_code == 0
    if option:
        rows = {row["layers"]: row for row in json.loads(result.output)["3M-SER"]}
        assert {layers: row["all"] for layers, row in rows.items()} == {
            n: one[2] for n, one in PRINTED.items()
        }
        assert sum(part["published"] for part in rows[2]["modules"].values()) == rows[2]["published"]
        return
    for one, two, total in PRINTED.values():
        assert f"{one} M" in result.output and f"{two} M" in result.output and f"{total:,}" in result.output


def test_table_1_of_the_regressors():
    table = (sizes.regressors() / 1e6).round()
    assert table["audio"].tolist() == [165, 95, 24]
    assert table["audio + text"].tolist() == [180, 109, 39]
    assert (table["text encoder"] == 14).all()


@pytest.mark.parametrize("streams", ["both", "text", "audio"])
def test_times_are_in_order_and_leave_the_weights_alone(streams):
    text, audio = encoders()
    model = assemble(
        text if streams != "audio" else None, audio if streams != "text" else None, ThreeMSERConfig()
    )
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = inference_times({"one": model}, tokens=5, examples=2, runs=4)["one"]
    assert 0 < found["low"] <= found["median"] <= found["high"] < 10_000
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())


def test_more_to_read_takes_longer():
    model = assemble(*encoders(layers=6), ThreeMSERConfig())
    short = inference_times({1: model}, tokens=4, examples=1, runs=9)[1]["median"]
    assert inference_times({1: model}, tokens=500, examples=40, runs=9)[1]["median"] > 2 * short


def test_no_runs_are_refused():
    with pytest.raises(SernbError, match="runs is 0"):
        inference_times({"one": assemble(*encoders(), ThreeMSERConfig())}, runs=0)
