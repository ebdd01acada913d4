"""What every room stands on: the two tables, ratings, the one error, whole files, ragged rows."""
