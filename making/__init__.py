"""How the embedded corpus, the small encoders and the benchmarks were made. Nothing in sernb imports it."""
