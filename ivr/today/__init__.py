"""What holds today: closed days, days with other hours, and the notice that callers hear first.

tables    closures and notices
ear       is a text fit to be heard?
diary     what people do: close a day, put up a notice, undo either
snapshot  what holds, as a value, and as the text of a file
today     what holds now, always at hand: kept in memory and on disk
service   what the phone asks for
"""
