"""The directory: the councils of England and their SEND advice services.

``entries`` says what is known of each and whether it may be read out, ``loading`` reads the files,
``places`` holds the towns and districts in their areas. ``spelling`` finds by letters, ``lookup``
by name or code. ``finding`` and ``service`` are what the phone asks for.
"""
