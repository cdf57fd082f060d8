"""Call-backs: a caller's wish to be phoned, from the key press to the list that staff read.

``keys`` hides the numbers, ``tables`` keeps the requests, ``service`` is what the phone asks for,
``queue`` is what staff read.
"""
