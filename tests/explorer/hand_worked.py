"""Views of the clips in conftest.py, each list worked out by hand: Python and the page must give it.

SMALL are views of six clips and two models, DIMENSIONS of four clips with arousal and valence; the views of
*_PAGE are known to the page alone.
"""

SMALL = [
    ({}, "u1 u2 u3 u4 u5 u6"),
    ({"cells": [["sad", "happy"]]}, "u3 u6"),
    ({"cells": [["sad", "happy"], ["happy", "sad"]]}, "u3 u5 u6"),
    ({"cells": [["sad", "happy"]], "tab": "quiz"}, "u1 u2 u3 u4 u5 u6"),
    ({"filters": {"speaker": ["x"]}}, "u1 u3 u5"),
    ({"filters": {"speaker": ["x", "y"]}}, "u1 u2 u3 u4 u5"),  # u6 has no speaker
    ({"filters": {"speaker": []}}, "u1 u2 u3 u4 u5 u6"),
    ({"filters": {"speaker": ["x"], "fold": ["2"]}}, "u5"),
    ({"other": "b", "outcome": "both"}, "u1 u4"),
    ({"other": "b", "outcome": "only_a"}, "u2"),
    ({"other": "b", "outcome": "only_b"}, "u3 u5"),
    ({"other": "b", "outcome": "neither"}, "u6"),
    ({"outcome": "neither"}, "u1 u2 u3 u4 u5 u6"),  # of one model there is no such thing
    ({"threshold": 0.7}, "u1 u3 u4 u6"),
    ({"threshold": 0.7, "model": "b"}, "u2 u3 u4 u6"),
    ({"threshold": 0.7, "tab": "quiz"}, "u1 u3 u4 u6"),
    ({"rows": "speaker", "cells": [["", "happy"]]}, "u6"),
    ({"sort": "confidence"}, "u6 u1 u3 u4 u2 u5"),
    ({"sort": "unsure"}, "u5 u2 u4 u3 u1 u6"),
    ({"sort": "residual"}, "u1 u2 u3 u4 u5 u6"),
    ({"other": "b", "columns": "other", "cells": [["sad", "sad"]]}, "u3 u4"),
]
SMALL_PAGE = [
    ({"filters": {"length": [1, 2.5]}}, "u1 u3 u4"),
    ({"filters": {"length": [None, 1]}}, "u1 u5"),
    ({"filters": {"confidence": [0.8, None]}}, "u1 u3 u6"),
    ({"filters": {"text": "GO"}}, "u1 u3"),
    ({"filters": {"text": "U6"}}, "u6"),
    ({"filters": {"text": ""}}, "u1 u2 u3 u4 u5 u6"),
    ({"filters": {"text": "never said"}}, ""),
    ({"sort": "length"}, "u2 u4 u3 u1 u5 u6"),  # u6's is not known
    ({"other": "b", "which": "other", "cells": [["sad", "sad"]]}, "u3 u4"),
    ({"other": "b", "which": "difference", "cells": [["sad", "sad"]]}, "u3"),
    ({"other": "b", "which": "difference", "cells": [["happy", "happy"], ["happy", "sad"]]}, ""),
    ({"list": "noted"}, ""),
    ({"list": "heard"}, ""),
]
DIMENSIONS = [
    ({}, "u1 u2 u3 u4"),
    ({"sort": "residual"}, "u2 u1 u3 u4"),
    ({"sort": "residual", "dimension": "valence"}, "u1 u2 u3 u4"),
    ({"tab": "matrix"}, ""),
]
DIMENSIONS_PAGE = [
    ({"residual": [0, None]}, "u1 u3"),
    ({"residual": [-1, 0.25]}, "u2 u3"),
    ({"box": {"x": [2, 3], "y": [2, 2.2], "plane": False}}, "u2"),
    ({"box": {"x": [1.2, 3], "y": [2.2, 4.25], "plane": True}, "plane": "predicted"}, "u1 u3 u4"),
    ({"box": {"x": [1.2, 3], "y": [2.2, 4.25], "plane": True}, "plane": "true"}, "u3"),
]
