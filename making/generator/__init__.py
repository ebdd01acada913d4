"""The embedded corpus and how it was made: grammar, feelings, voices, synthesis, build.

Run ``python -m making.generator build --out DIR`` to make it again. Only the synthesis needs the extra
``generate``.
"""
