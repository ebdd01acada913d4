"""What the kit measured of itself: each a script, `python -m making.benchmarks.NAME`; docs/results/ has what
came out."""
