"""The directory: the councils of England and their SEND advice services.

``entries`` says what is known of each and whether it may be read out, ``loading`` reads the files,
``lookup`` finds by letters, name or code, ``hearing`` by what was spoken, ``service`` and
``spoken`` are what the phone asks for.
"""
