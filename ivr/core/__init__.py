"""The pure core of the helpline: what a book says, where a call stands, and every move between.

Nothing here knows a clock, a network, a database, randomness, Quart or Twilio; only the standard
library is imported, and import-linter holds that true.
"""
