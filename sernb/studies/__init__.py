"""The papers' studies, a file each, on one way to train."""
