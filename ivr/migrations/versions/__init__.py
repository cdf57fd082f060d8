"""The steps: each file is ``<number>_<what it does>.py``, and its number is its revision."""
