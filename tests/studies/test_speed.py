import pytest

from sernb.core.errors import SernbError
from sernb.models.three_m_ser import ThreeMSERConfig, assemble
from sernb.studies.speed import inference_times
from tests.studies.two_streams import encoders


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
