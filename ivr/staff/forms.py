"""The forms that browsers send, bounded before they are parsed: strangers send some too."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl

from quart.formparser import FormDataParser
from quart.wrappers.request import Body
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

MOST_FIELDS = 100  # of one form; ours have up to some twenty
FORM = "application/x-www-form-urlencoded"
AT_ONCE = 4_000  # bytes that are parsed at once; more are parsed beside the calls, form after form

_ONE_THREAD = ThreadPoolExecutor(1, "forms")  # more would share the time that calls need


class Forms(FormDataParser):
    """Parses the forms of the staff pages, and nothing else.

    The form token is a field, so a form is parsed before anything is known of its sender: 9,000
    fields take 30 ms from the calls, and 300 kB of escapes in a few fields 16 ms. Many fields are
    refused. A long text must not be: whoever is signed out meanwhile gets it back.
    """

    async def parse(
        self,
        body: Body,
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Return the fields of a form, in order; of any other body, none.

        Raises:
            RequestEntityTooLarge: it has more fields than the forms of the pages.
        """
        if mimetype != FORM:
            return MultiDict(), MultiDict()
        form = await body
        if form.count(b"&") >= MOST_FIELDS:
            raise RequestEntityTooLarge
        if len(form) <= AT_ONCE:
            return MultiDict(_fields(form)), MultiDict()
        loop = asyncio.get_running_loop()
        return MultiDict(await loop.run_in_executor(_ONE_THREAD, _fields, form)), MultiDict()


def _fields(form: bytes) -> list[tuple[str, str]]:
    return parse_qsl(form.decode(errors="replace"), keep_blank_values=True)
