"""sernb: a notebook-based study kit for speech emotion recognition."""

__version__ = "0.1.0"
