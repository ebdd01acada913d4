"""The kit's own small encoders: each a script, `python -m making.pretraining.NAME --out DIR`."""
