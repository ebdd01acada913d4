"""How the kit's own small encoders were made: each a script, `python -m sernb.pretraining.<name> --out DIR`."""
