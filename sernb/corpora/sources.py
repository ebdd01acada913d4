"""Where the public corpora are downloaded, and the sums that their files must have.

A SHA-256 stands here only where it is known: computed from the very file, and found alike elsewhere. Zenodo publishes
an MD5, which is checked in its place. Where neither is known, `fetch` records the sum that it saw beside the download,
prints it, and holds later downloads against it; `--sha256` takes one that you know.
"""

from dataclasses import dataclass

_MELD = (
    "https://raw.githubusercontent.com/declare-lab/MELD/2d2011b409d3ca2d7e94460cd007d434b1d0a102/data/MELD"
)
_EMOBANK = (
    "https://raw.githubusercontent.com/JULIELab/EmoBank/248ce2a43e165a66d31aeaed83cff9641d6654e0/corpus"
)
_XED = "https://raw.githubusercontent.com/Helsinki-NLP/XED/76666d251f147cf518071bef4f8415dab6b96115/AnnotatedData"


@dataclass(frozen=True)
class Source:
    """One file to download; an archive is unpacked, then removed.

    `gives`: the file or folder that is there afterwards, and so need not be fetched again. `only`, `strip`: see
    sernb.corpora.unpack. `lfs`: the address of the files for which the archive holds Git LFS pointers.
    `recordings`: large, so only on request.
    """

    url: str
    gives: str
    sha256: str | None = None
    md5: str | None = None
    archive: str = ""
    only: tuple[str, ...] = ()
    strip: int = 0
    lfs: str = ""
    recordings: bool = False


SOURCES: dict[str, tuple[Source, ...]] = {
    "emodb": (
        Source("http://emodb.bilderbar.info/download/download.zip", gives="wav", archive="download.zip"),
    ),
    "ravdess": (
        Source(
            "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
            gives="Actor_24",
            md5="bc696df654c87fed845eb13823edef8a",  # the publisher's, on Zenodo
            archive="Audio_Speech_Actors_01-24.zip",
        ),
    ),
    "cremad": (
        Source(
            "https://github.com/CheyneyComputerScience/CREMA-D/archive/refs/heads/master.zip",
            gives="AudioWAV",
            archive="CREMA-D-master.zip",
            only=("AudioWAV/*.wav", "VideoDemographics.csv", "processedResults/summaryTable.csv", "LICENSE*"),
            strip=1,
            lfs="https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/master/",
        ),
    ),
    "meld": (
        Source(
            f"{_MELD}/train_sent_emo.csv",
            gives="train_sent_emo.csv",
            sha256="d2fa2d6529cf03cac2989efec05c9b27d8fd2f4c8fc5974c7ae88aa537fa02db",
        ),
        Source(
            f"{_MELD}/dev_sent_emo.csv",
            gives="dev_sent_emo.csv",
            sha256="2e89c6f8aa182d6f62f8c6331aece905ac7273ca4999660bfb5213e1d0370c1c",
        ),
        Source(
            f"{_MELD}/test_sent_emo.csv",
            gives="test_sent_emo.csv",
            sha256="8d37103938f7067600839fe29d5a114a6cd1bcdafb75bec101e06464c5006888",
        ),
        Source(  # 10.9 GB of video; the sum is the one by which Hugging Face stores it, as several users report
            "https://huggingface.co/datasets/declare-lab/MELD/resolve/main/MELD.Raw.tar.gz",
            gives="MELD.Raw",
            sha256="a56b4407d574195cbce470d86f9c9d72fcfea59b0e34502ecd4babee4a5c613e",
            archive="MELD.Raw.tar.gz",
            recordings=True,
        ),
    ),
    "emobank": (
        Source(
            f"{_EMOBANK}/emobank.csv",
            gives="corpus/emobank.csv",
            sha256="1ade4a4a453e880c0f39d0536d2b355e8a716e0cf88236c64cdb4d438cf9605b",
        ),
        Source(
            f"{_EMOBANK}/meta.tsv",
            gives="corpus/meta.tsv",
            sha256="c848266476711a3fb68395b9907ef574e60289ad916c8db79b7ea2e62ab62e0e",
        ),
    ),
    "xed": (
        Source(
            f"{_XED}/en-annotated.tsv",
            gives="AnnotatedData/en-annotated.tsv",
            sha256="26ac0254fbdb8b09cf2b00d44041d9084ece31bd200ae7c0e0662fbd8b037d98",
        ),
        Source(
            f"{_XED}/neu_en.txt",
            gives="AnnotatedData/neu_en.txt",
            sha256="6e8b38af83b80fb64ec1139007973b1f09ec16d48549e82de22423cdba259f08",
        ),
    ),
}
