"""A notice of the day, and the words that it stands between."""

TEXT = "We are very busy today. Ring before noon if you can."
HELLO = "Hello. Helpline for special needs in school, for England."
MENU = "For a person or call-back"
