"""403 and nothing else, at once: the rest of the request is neither waited for nor kept."""

import asyncio

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

LINGER_S = 15.0  # seconds for the rest of a refused request over a connection that others share


async def refuse(scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer 403 before the body of a request has come, or has been read.

    The server queues what comes of a body. Once ten parts wait, it can neither read the connection
    nor end the request: the connection would stay open for good, though both sides are done with
    it. So the rest is read, and thrown away, until the request is over.

    HTTP/1 then closes the connection, unless the whole body had come. HTTP/2 shares it among
    requests, and a server that meets a body whose request is over drops them all; so the request
    stays open, though it is answered, until its body has ended.
    """
    rest = asyncio.create_task(_discard(receive))
    headers = [(b"content-length", b"0")]
    try:
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        if not scope["http_version"].startswith("1"):
            await asyncio.wait({rest}, timeout=LINGER_S)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        rest.cancel()
        await asyncio.wait({rest})


async def _discard(receive: ASGIReceiveCallable) -> None:
    while True:
        event = await receive()
        if event["type"] != "http.request" or not event.get("more_body", False):
            return
