"""The explorer: a confusion matrix to click, and behind each cell the clips, with sound, words and notes."""

from sernb.explorer.notes import read_notes, write_notes
from sernb.explorer.widget import Explorer, explore

__all__ = ["Explorer", "explore", "read_notes", "write_notes"]
