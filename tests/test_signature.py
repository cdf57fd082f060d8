"""Our signature check gives the answer of Twilio's own library, and never raises where it does."""

import json
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import quote, urlencode, urlparse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from ivr.phone.signature import compute, parameters, posted
from ivr.phone.signature import is_signed as is_signed_over
from tests.helplines import CALL, FORM, TOKEN, Helpline, helpline

LIBRARY = RequestValidator(TOKEN)

# Any text that can travel: without surrogates, which have no UTF-8.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.sampled_from(["Digits", "CallSid", "From", "a", "A", "é", ""]) | texts
fields = st.lists(st.tuples(names, st.just("") | texts), max_size=8)
ports = st.sampled_from(["", ":80", ":443", ":8443", ":1"])
hosts = st.sampled_from(["line.example.org", "127.0.0.1", "a-b.example"])
odd = "abcXYZ019-._~!$'()*,;:@ é€\u2028/%"  # what stands in a path or query, escaped or not
paths = st.text(odd, max_size=12).map(lambda path: quote(path, safe="/-._~!$'()*,;:@"))
queries = st.lists(
    st.tuples(st.text(odd, max_size=6), st.text(odd, max_size=6)), min_size=1, max_size=3
).map(lambda pairs: "?" + urlencode(pairs, safe="'()*!:@/"))


def is_signed(tokens, url: str, body: bytes, is_form: bool, signature: str | None) -> bool:
    """What the routes ask of a request."""
    params = posted(url, body, is_form)
    return params is not None and is_signed_over(tokens, url, params, signature)


# The library takes addresses apart and puts them together again, and so loses a bare ; or ? at the
# end, which we do not: such addresses are left out.
addresses = st.builds(
    "{}://{}{}/voice{}{}".format,
    *(st.sampled_from(["https", "http"]), hosts, ports, paths, st.just("") | queries),
).filter(lambda url: urlparse(url).geturl() == url)


def as_body(pairs: list[tuple[str, str]]) -> bytes:
    return urlencode(pairs).encode()


@given(addresses, fields)
def test_we_compute_what_twilio_s_library_computes(url: str, pairs: list[tuple[str, str]]) -> None:
    """Names sorted, repeated names' distinct values sorted, blanks kept, any language."""
    assert compute(TOKEN, url, pairs) == LIBRARY.compute_signature(url, MultiDict(pairs))


@given(fields)
def test_a_form_is_read_as_it_was_sent(pairs: list[tuple[str, str]]) -> None:
    """Blank values and odd characters included: what is dropped cannot be checked."""
    assert parameters(as_body(pairs)) == pairs


@given(addresses, fields, st.booleans())
def test_what_twilio_signed_is_signed_with_and_without_its_port(
    url: str, pairs: list[tuple[str, str]], other_port: bool
) -> None:
    """Twilio signs some addresses with the usual port, and some without the port we see."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    usual = "443" if scheme == "https" else "80"
    spelling = host.partition(":")[0] if ":" in host else f"{host}:{usual}"
    signed = f"{scheme}://{spelling}{slash}{path}" if other_port else url
    signature = LIBRARY.compute_signature(signed, MultiDict(pairs))
    assert LIBRARY.validate(url, MultiDict(pairs), signature)
    assert is_signed([TOKEN], url, as_body(pairs), True, signature)


@given(addresses, fields, fields, texts)
def test_whatever_the_library_refuses_is_refused(
    url: str, sent: list[tuple[str, str]], signed: list[tuple[str, str]], forged: str
) -> None:
    """Another form's signature, or any text at all, is judged as the library judges it."""
    for signature in (LIBRARY.compute_signature(url, MultiDict(signed)), forged, f"{forged}="):
        expected = LIBRARY.validate(url, MultiDict(sent), signature) and bool(signature)
        assert is_signed([TOKEN], url, as_body(sent), True, signature) is expected


@given(addresses, st.text(max_size=30).map(json.dumps), st.booleans(), st.booleans())
def test_a_body_of_json_is_judged_by_its_hash(
    url: str, body: str, right_hash: bool, right_address: bool
) -> None:
    """Twilio signs the address alone, and in it stands the hash of the body."""
    digest = sha256((body if right_hash else body + " ").encode()).hexdigest()
    url = f"{url}{'&' if '?' in url else '?'}bodySHA256={digest}"
    signature = LIBRARY.compute_signature(url if right_address else url + "x", {})
    expected = LIBRARY.validate(url, body, signature)
    assert expected is (right_hash and right_address)
    assert is_signed([TOKEN], url, body.encode(), False, signature) is expected


@pytest.mark.parametrize("body", [b"{}", b"\xff", b"Digits=1"])
@pytest.mark.parametrize("query", ["", "?bodySHA256=", "?bodySHA256=%C3%A9", "?bodySHA256=0"])
def test_a_body_that_nobody_vouches_for_is_refused(query: str, body: bytes) -> None:
    """The library raises for these; so would a comparison of hashes that met an accent."""
    url = f"https://line.example.org/voice{query}"
    assert not is_signed([TOKEN], url, body, False, LIBRARY.compute_signature(url, {}))


@pytest.mark.parametrize("signature", [None, "", " ", "é", "=" * 28, "A" * 10_000, "\x00"])
@pytest.mark.parametrize("host", ["line.example.org", "[::1]:5000", "[::", "a:b@c:1", ":", ""])
@pytest.mark.parametrize("is_form", [True, False])
def test_no_signature_and_no_address_raises(
    host: str, signature: str | None, is_form: bool
) -> None:
    """The library raises on a missing header: a stranger's request would be a fault of ours."""
    assert not is_signed([TOKEN], f"http://{host}/voice", b"\xff=%ff&", is_form, signature)


def test_each_of_several_tokens_counts_while_one_is_being_changed() -> None:
    """Old and new are both good; a third is not, and no token at all lets nobody in."""
    url, pairs = "https://line.example.org/voice", [("Digits", "1")]
    for token in ("old", "new", "third"):
        signature = RequestValidator(token).compute_signature(url, dict(pairs))
        accepted = is_signed(["new", "old"], url, as_body(pairs), True, signature)
        assert accepted is (token != "third")
        assert not is_signed([], url, as_body(pairs), True, signature)


# --- at the front door -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helpline]:
    var = tmp_path_factory.mktemp("var")
    with helpline(var, IVR_TWILIO_AUTH_TOKEN=f"the-next-token, {TOKEN}") as helpline_:
        yield helpline_


TARGETS = ["/voice", "/voice/", "/voice/x", "/voice//x", "/voice/a%0Ab", "/voice/fallback"]


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("target", [*TARGETS, "/voice/status", "/voice?bodySHA256=%C3%A9"])
def test_the_unsigned_and_the_forged_get_403_and_nothing_else(
    line: Helpline, method: str, target: str
) -> None:
    """No word, no redirect, no hint of why."""
    other = RequestValidator("another token").compute_signature(line.public + target, {})
    for header in ({}, {"X-Twilio-Signature": other}, {"X-Twilio-Signature": "\xe9"}):
        for body, kind in ((b"", FORM), (b"Digits=1", FORM), (b"{", "application/json")):
            sent = {"Content-Type": kind, **header}
            answer = line.send(method, target, body if method == "POST" else b"", sent)
            assert (answer.status, answer.body) == (403, b"")
            assert set(answer.headers) <= {"content-type", "content-length", "date", "server"}


@pytest.mark.parametrize("token", [TOKEN, "the-next-token"])
def test_a_request_signed_with_either_token_is_answered(line: Helpline, token: str) -> None:
    """While a token is changed, calls under way go on."""
    either = Helpline(line.port, line.public, token)
    assert either.post().page.goes_on
    assert either.get().page.goes_on
    assert either.signed_body("/voice", b'{"a": 1}', "application/json").page.goes_on


@pytest.mark.parametrize(
    "target",
    ["/voice/%C3%A9%7E%2F%3A", "/voice/~/:", "/voice/x?a=%C3%A9&b=&c=~%20+'()", "/voice/a;b=c?d"],
)
def test_the_address_is_checked_as_it_travelled(line: Helpline, target: str) -> None:
    """Decoded and encoded again, an address no longer fits its signature."""
    assert line.signed("POST", target, {"CallSid": CALL, "AddOns": "ü €", "ToCity": ""}).page


def test_a_signature_is_good_for_its_own_address_and_form_only(line: Helpline) -> None:
    """What was signed for one key press cannot be used for another."""
    form = {"CallSid": CALL, "Digits": "1"}
    signature = RequestValidator(TOKEN).compute_signature(f"{line.public}/voice/x", form)
    for target, digits in (("/voice/x", "2"), ("/voice/y", "1"), ("/voice/x?again=1", "1")):
        body = urlencode(form | {"Digits": digits}).encode()
        headers = {"X-Twilio-Signature": signature, "Content-Type": FORM}
        assert line.send("POST", target, body, headers).status == 403
