"""Headless runs of the notebooks: plan (which, with what), execute (papermill), page (HTML), run (all of it)."""
