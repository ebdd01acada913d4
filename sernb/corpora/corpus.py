"""What a corpus's file says of the corpus: CORPUS, beside the function `load` that reads it."""

from dataclasses import dataclass
from pathlib import Path

from sernb.core.errors import SernbError


@dataclass(frozen=True)
class Source:
    """One file to download, with the sum that it must have; an archive is unpacked, then removed.

    sha256: computed from the very file, and found alike elsewhere; md5: the publisher's own. Where neither is
    known, `fetch` records the sum that it saw and holds later downloads against it.
    """

    url: str
    gives: str  # the file or folder that is there afterwards, and so need not be fetched again
    sha256: str | None = None
    md5: str | None = None
    archive: str = ""  # its file name
    only: tuple[str, ...] = ()  # patterns of the names in the archive that are wanted; all without any
    strip: int = 0  # folders at the front of each name in the archive
    lfs: str = ""  # the address of the files for which the archive holds Git LFS pointers
    recordings: bool = False  # large, so only on request


@dataclass(frozen=True)
class Corpus:
    """A corpus's facts; licences and addresses as publishers, or where marked third parties, state them."""

    title: str
    holds: str
    licence: str
    obtain: str
    layout: str  # what `load` expects below its root
    protocol: str = ""  # of sernb.protocols, where none is named; by the number of speakers without one
    sources: tuple[Source, ...] = ()
    inside: bool = False  # comes with the package, in the folder <name>_data

    def lacks(self, root: str | Path, what: str) -> SernbError:
        """The error for a folder in which the corpus is not."""
        return SernbError(f"{root}: {what}. {self.title} is expected as {self.layout}.")
