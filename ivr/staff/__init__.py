"""The staff pages: plain HTML that works without JavaScript, under ``/staff``.

door      who may come in: sessions, form tokens, roles, headers
office    what the pages work with
words     times, states and needs, as people say them
topics    what a caller was hearing, from the book
plots     drawings of numbers
sign_in, account, queue, request, duty, today, reports, people, audit
          one file for each part of the pages
"""
