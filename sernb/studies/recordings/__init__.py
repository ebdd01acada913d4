"""Your own recordings, heard by a model that a notebook saved: `predict(files, folder)`, and `sernb predict`."""

from sernb.studies.recordings.files import read_transcripts, recordings_of
from sernb.studies.recordings.models import Predictor, load_model
from sernb.studies.recordings.predicting import predict, predict_waveform
from sernb.studies.recordings.wording import as_json, as_text, encodable, printable, write_csv

__all__ = [
    "Predictor", "as_json", "as_text", "encodable", "load_model", "predict", "predict_waveform", "printable",
    "read_transcripts", "recordings_of", "write_csv",
]  # fmt: skip
