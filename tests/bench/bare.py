"""The least that a Quart route can do with Twilio's form: what our turns are compared with."""

from quart import Quart, request


def create_app() -> Quart:
    """One route that reads the form, and answers with an empty document, as Twilio must have."""
    app = Quart("bare", static_folder=None)

    @app.post("/voice/<path:sealed>")
    async def voice(sealed: str) -> str:
        await request.form
        return "<Response/>"

    return app
