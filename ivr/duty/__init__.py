"""The people on duty: whose phone is rung when a caller asks for our team, one after another.

tables   who is on duty, and every ring
keys     what hides their numbers
roster   going on and off duty; whose turn it is; who is being rung, and for how long
service  what the phone asks for: is the team there, whom to ring next, did they take it?
"""
