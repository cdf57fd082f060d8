"""The caller's side: a phone that reads TwiML and rings the helpline as Twilio would.

    verbs       what TwiML can ask of a phone, as plain data, and what keys mean to a Gather
    twiml       TwiML -> verbs
    webhook     what Twilio sends: form fields and signature
    wire        HTTP: signed requests out, documents and clips back
    phone       the call itself
    leg         somebody whom the line rings for the caller
    script      a call played from tokens: "1 2 #"
    transcript  turns -> a page that anybody can read
    terminal    a call made by a person (keyboard: their keys; sound: the clips, aloud)

Behaviour is Twilio's, from its documentation; where that is silent, the docstring says what we
chose.
"""

from ivr.handset.phone import Moment, Phone, Speech
from ivr.handset.script import Script, Turn, parse, scripted
from ivr.handset.terminal import Terminal
from ivr.handset.transcript import transcript
from ivr.handset.verbs import HandsetError
from ivr.handset.webhook import Caller, Webhook, signature

__all__ = [
    "Caller",
    "HandsetError",
    "Moment",
    "Phone",
    "Script",
    "Speech",
    "Terminal",
    "Turn",
    "Webhook",
    "parse",
    "scripted",
    "signature",
    "transcript",
]
