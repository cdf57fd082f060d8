"""The people who ring back: accounts, roles, signing in, and who did what among them.

tables     the tables
passwords  what a password must be, and how it is kept
register   adding, changing and removing people
audit      what they did, the newest first
sign_in    who is there? Passwords, codes, waits after failures, sessions
"""
