"""How the kit's own small encoders were made: each a script, `python -m making.pretraining.<name> --out DIR`."""
