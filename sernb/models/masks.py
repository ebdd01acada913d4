"""What networks of several branches say of input that is missing, and of masks that do not fit it."""


def need(branch, inputs, names):
    """ValueError where one of the inputs of a branch is None."""
    if any(x is None for x in inputs):
        raise ValueError(f"this model has a {branch} branch, and was given no {names}")


def check_mask(branch, mask, states):
    """ValueError without a mask of the `(batch, positions)` of the states, and for a row of padding."""
    need(branch, (mask,), f"{branch}_mask")
    if mask.shape != states.shape[:2]:
        sizes = f"{tuple(mask.shape)}, its input {tuple(states.shape)}"
        raise ValueError(f"the {branch} mask is {sizes}: the first two sizes differ")
    if len(padding := (~mask.any(1)).nonzero()):
        row = int(padding[0])
        raise ValueError(f"row {row} of the batch is padding throughout: its {branch} mask is all False")
