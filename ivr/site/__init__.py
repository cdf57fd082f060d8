"""The public page: what the line says, to read. Made from the same flows and prompts as the calls.

guide     a book as headings and answers, in the order of its menus
writing   spoken words as they are written: no pauses, numbers in digits, nothing said twice
pages     the route, its headers and its cache
"""
