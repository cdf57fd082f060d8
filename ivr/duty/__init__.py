"""The people on duty: whose phone is rung when a caller asks for our team, one after another.

tables       who is on duty, every ring, and the calls that are over
keys         what hides their numbers, and the ids of calls
ended_calls  the callers' calls that are over: no ring is reserved for them
roster       going on and off duty; whose turn it is; who is being rung, and for how long
service      what the phone asks for: is the team there, whom to ring next, did they take it?
"""
