"""Twilio's side of the helpline: signed webhooks in, TwiML out."""
