import json

import pytest
from typer.testing import CliRunner

from sernb.cli import app
from sernb.models.three_m_ser import ThreeMSER, ThreeMSERConfig
from sernb.models.vggish import VGGishConfig
from sernb.studies import sizes

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
