"""What every room stands on: the two tables, ratings, the one error, files whole or not at all, rows of any length."""
