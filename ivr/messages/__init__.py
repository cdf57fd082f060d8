"""Text messages, both ways: what is sent, what came in, and who wants none.

``rules`` says what may be in one, ``outbox`` keeps what is to be sent and how it went, ``sender``
sends it, ``optouts`` knows who wants none, ``inbox`` takes what comes in, ``service`` is what the
phone asks for, ``thread`` is what staff read.
"""
