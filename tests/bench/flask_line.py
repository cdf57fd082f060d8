"""What most people would write first: Flask, with Twilio's library for signatures and TwiML.

It checks the signature and speaks a menu, which it reads from no file and remembers nowhere.
"""

from flask import Flask, Response, abort, request
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

from tests.bench.turns import PUBLIC, TOKEN

CLIPS = 8  # as many as one of our menus plays


def create_app() -> Flask:
    """One route: validate, gather, play."""
    app = Flask("flask_line", static_folder=None)
    validator = RequestValidator(TOKEN)

    @app.post("/voice/<path:sealed>")
    def voice(sealed: str) -> Response:
        signature = request.headers.get("X-Twilio-Signature", "")
        if not validator.validate(PUBLIC + request.path, request.form, signature):
            abort(403)
        action = f"/voice/{sealed}"
        gather = Gather(
            input="dtmf",
            action=action,
            method="POST",
            num_digits=1,
            timeout=10,
            finish_on_key="",
            action_on_empty_result=True,
        )
        for number in range(CLIPS):
            gather.play(f"/audio/{number:016x}.wav")
        response = VoiceResponse()
        response.append(gather)
        response.redirect(action, method="POST")
        return Response(str(response), content_type="text/xml")

    return app
