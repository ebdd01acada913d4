"""What only a CUDA device can show: the notebooks run on it, and the models compute what they compute on a
CPU."""

from pathlib import Path

import pytest
import torch

from sernb.notebook.plan import make_plans
from sernb.notebook.run import run
from tests.gpu.models import CASES

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LOSS = 1e-4  # relative; float32 sums in another order
# Of the gradient's norm. Noise of 1e-7 on the input moves it by up to 1.5e-3 on one CPU, since a max-pool or
# ReLU then picks another entry; a wrong gradient is off by a large part of itself.
GRADIENT = 1e-2

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and torch sees none here"),
]


@pytest.fixture(scope="module")
def table():
    """Rows that the tests add; printed when all are through (make test-gpu shows it)."""
    rows = []
    yield rows
    print(f"\n\n{torch.cuda.get_device_name()}, torch {torch.__version__}\n")
    for row in rows:
        print(row)


@pytest.fixture
def exact():
    """float32 arithmetic as on the CPU: without TF32, whose 10 bits would hide a real difference."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def loss_and_gradients(model, inputs, device):
    model = model.to(device).train()
    model.zero_grad()
    out = model(**{name: tensor.to(device) for name, tensor in inputs.items()})
    loss = getattr(out, "loss", out)
    loss.backward()
    gradients = {
        name: p.grad.detach().cpu().clone() for name, p in model.named_parameters() if p.grad is not None
    }
    return loss.item(), gradients


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_loss_and_gradients_are_the_cpus(case, table, exact):
    torch.manual_seed(0)
    model, inputs = case.build(), case.inputs()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    loss, gradients = loss_and_gradients(model, inputs, "cpu")
    model.load_state_dict(state)  # batch norm's running statistics have moved
    loss_gpu, gradients_gpu = loss_and_gradients(model, inputs, "cuda")
    assert gradients.keys() == gradients_gpu.keys() and gradients
    cpu, gpu = (
        torch.cat([grad[name].flatten() for name in gradients]) for grad in (gradients, gradients_gpu)
    )
    apart = ((gpu - cpu).norm() / cpu.norm()).item()
    table.append(f"{case.name:<28} loss CPU {loss:.6f}  GPU {loss_gpu:.6f}  gradients {apart:.1e} apart")
    assert loss_gpu == pytest.approx(loss, rel=LOSS)
    assert apart < GRADIENT


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_the_gpu(path, table, tmp_path):
    summary = run(make_plans([str(path)], "smoke", {}, ROOT / "notebooks"), tmp_path / "report", "smoke")
    (entry,) = summary["notebooks"]
    used = [start["device"] for start in entry["started_with"]]
    table.append(f"{path.stem:<28} {entry['status']} on {', '.join(used)}, {entry['duration']:.1f} s")
    assert entry["error"] is None
    assert used == ["cuda"]
