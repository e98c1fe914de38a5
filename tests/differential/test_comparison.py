"""The judgement itself, on answers that were made up: what it lets pass and what it does not."""

from __future__ import annotations

import pytest

from harness.encoding import b64url

from .cases import Answer, Arrived, Case, Configuration, Headers, Minted, Outcome, Request
from .compare import Kind, differences
from .deviations import TABLE
from .verdicts import judge

MESSAGE = {
    "providers": {
        "p": {
            "issuer": "i",
            "audiences": ["a"],
            "from_headers": [{"name": "x-token"}],
            "from_params": ["jwt"],
            "claim_to_headers": [{"header_name": "X-User", "claim_name": "sub"}],
        }
    },
    "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}],
}


def forwarded(*headers: tuple[str, str], target: str = "/x", times: int = 1) -> Answer:
    arrived = Arrived("GET", target, (("host", "h"), *headers))
    return Answer(200, (("x-upstream", "1"),), arrived=(arrived,) * times)


def refused(status: int = 401, challenge: str | None = 'Bearer realm="http://h/x"', **more: str) -> Answer:
    headers: Headers = (
        *((("www-authenticate", challenge),) if challenge else ()),
        *((name.replace("_", "-"), value) for name, value in more.items()),
    )
    return Answer(status, headers)


def case(*traits: str, target: str = "/x", headers: Headers = (), claims: dict[str, object] | None = None) -> Case:
    tokens = (Minted("p", {}, claims, "header:x-token"),) if claims is not None else ()
    return Case(
        1, Configuration("c", MESSAGE), Request("GET", target, (("host", "h"), *headers)), frozenset(traits), tokens
    )


INVALID = 'Bearer realm="http://h/x", error="invalid_token"'


@pytest.mark.parametrize(
    ("native", "ours"),
    [
        (forwarded(("x-user", "u"), ("a", "1")), forwarded(("a", "1"), ("x-user", "u"))),
        (forwarded(("x-user", "u"), ("x-user", "v")), forwarded(("x-user", "v"), ("x-user", "u"))),
        (refused(), refused()),
        (refused(403, INVALID), refused(403, INVALID)),
        (refused(200, grpc_status="16"), refused(200, grpc_status="16")),
        (Answer(0), Answer(0)),
    ],
)
def test_order_and_nothing_else_is_passed_over(native: Answer, ours: Answer) -> None:
    assert differences(Outcome(case(), native, ours)) == []


@pytest.mark.parametrize(
    ("native", "ours", "kind"),
    [
        (refused(), forwarded(), Kind.LOOSER),
        (refused(503), forwarded(), Kind.NATIVE_FAILS),
        (forwarded(), refused(), Kind.STRICTER),
        (refused(401), refused(403), Kind.STATUS),
        (refused(200, grpc_status="16"), refused(200, grpc_status="7"), Kind.STATUS),
        (refused(), refused(challenge=None), Kind.CHALLENGE),
        (refused(challenge=INVALID), refused(), Kind.CHALLENGE),
        (forwarded(target="/x"), forwarded(target="/x?"), Kind.TARGET),
        (forwarded(("x-user", "u")), forwarded(), Kind.HEADER),
        (forwarded(("x-user", "u")), forwarded(("x-user", "u"), ("x-user", "u")), Kind.HEADER),
        (forwarded(("x-user", "u")), forwarded(("x-user", "U")), Kind.HEADER),
        (forwarded(), forwarded(times=2), Kind.BROKEN),
        (refused(), Answer(401, arrived=forwarded().arrived), Kind.BROKEN),
        (refused(), Answer(0), Kind.BROKEN),
    ],
)
def test_every_other_difference_is_told_and_not_explained(native: Answer, ours: Answer, kind: Kind) -> None:
    outcome = Outcome(case(), native, ours)
    assert [difference.kind for difference in differences(outcome)] == [kind]
    slugs, left = judge(outcome)
    assert slugs == set() and left is not None


@pytest.mark.parametrize(
    "trait",
    [
        "base64.padded.header",
        "json.trailing-comma.claims",
        "header.crit.known",
        "token.repeated",
        "scheme.not-first",
        "jwk.small-rsa",
        "token.above-8-KiB",
        "claims.exp.zero",
    ],
)
def test_what_ours_refuses_on_purpose_is_explained_where_it_is_refused_and_only_there(trait: str) -> None:
    odd = case(trait, claims={"aud": "a"})
    assert judge(Outcome(odd, forwarded(), refused()))[1] is None
    assert judge(Outcome(odd, refused(), forwarded()))[1] is not None
    assert judge(Outcome(odd, forwarded(), refused(500)))[1] is not None
    # Forgiven, and so told less about the caller; but never more, and nothing else.
    assert judge(Outcome(odd, forwarded(("x-user", "u")), forwarded()))[1] is None
    assert judge(Outcome(odd, forwarded(), forwarded(("x-user", "u"))))[1] is not None
    assert judge(Outcome(odd, forwarded(("x-user", "u")), forwarded(("x-user", "v"))))[1] is not None
    assert judge(Outcome(odd, forwarded(("other", "1")), forwarded()))[1] is not None


def test_only_the_case_of_bearer_makes_ours_forward_what_native_refuses() -> None:
    assert [entry.slug for entry in TABLE if entry.looser] == ["bearer-any-case"]
    assert judge(Outcome(case("scheme.other-case"), refused(), forwarded()))[1] is None


@pytest.mark.parametrize(
    ("audience", "explained"),
    [("https://a", True), ("a/", True), ("a", False), ("b", False), (["b", "http://a/"], True), ("a//", False)],
)
def test_audiences_are_similar_by_scheme_and_slash_alone(audience: object, explained: bool) -> None:
    left = judge(Outcome(case(claims={"aud": audience}), forwarded(), refused(403)))[1]
    assert (left is None) == explained


@pytest.mark.parametrize(
    ("sent", "native", "ours", "explained"),
    [
        ("/x?a=%26&jwt=t&b", "/x?a=&&b=", "/x?a=%26&b", True),
        ("/x?b=2&jwt=t&a=1", "/x?a=1&b=2", "/x?b=2&a=1", True),
        ("/x?a=1%202&jwt=t", "/x?a=1", "/x?a=1%202", True),
        ("/x?b=2&jwt=t&a=1", "/x?a=1&b=2", "/x?a=1", False),
        ("/x?b=2&jwt=t&a=1", "/x?a=1", "/x?b=2&a=1", False),
        ("/x?b=2&a=1", "/x?a=1&b=2", "/x?b=2&a=1", False),
        ("/x?a=%41&jwt=t", "/x?a=A", "/x?a=A", False),
        ("/x?a=%26&jwt=t#b", "/x?a=&", "/x?a=%26", True),
        ("/x?a=%26&jwt=t#b", "/x?a=&", "/x?a=%26#b", False),
        ("/x?a=%26#jwt=t", "/x?a=&", "/x?a=%26", False),
        ("http://o/x?a=%26&jwt=t", "/x?a=&", "/x?a=%26", True),
        ("http://o/x?a=%26&jwt=t", "/x?a=&", "http://o/x?a=%26", False),
    ],
)
def test_a_query_without_its_token_is_what_was_sent(sent: str, native: str, ours: str, explained: bool) -> None:
    outcome = Outcome(case(target=sent), forwarded(target=native), forwarded(target=ours))
    left = judge(outcome)[1]
    assert (left is None) == (explained or native == ours)


@pytest.mark.parametrize(
    ("native", "ours", "explained"),
    [
        ("Jos\xc3\xa9", "UTF-8''Jos%C3%A9", True),
        ("a", "UTF-8''%20a", True),
        ("UTF-8''x", "UTF-8''UTF-8%27%27x", True),
        ("Jos\xc3\xa9", "UTF-8''Jos%C3%A8", False),
        ("9007199254740992", "9007199254740993", True),
        ("9007199254740992", "9007199254740992.0", False),
        ("100000000000000000000.000000", "100000000000000000000", False),
        ("42", "43", False),
    ],
)
def test_claims_have_two_forms_only_where_the_table_says_so(native: str, ours: str, explained: bool) -> None:
    left = judge(Outcome(case(), forwarded(("x-user", native)), forwarded(("x-user", ours))))[1]
    assert (left is None) == explained


CONNECT = {"connect_matcher": {}}
ALL = {"prefix": "/"}


@pytest.mark.parametrize(
    ("matches", "native", "ours", "explained"),
    [
        ([ALL], forwarded(), refused(), True),
        ([{"prefix": "/r0"}, ALL], forwarded(), refused(), True),
        ([ALL], forwarded(), forwarded(("x-user", "u")), True),
        # Nothing of ours is for it, or something of native's is.
        ([{"prefix": "/r0"}], forwarded(), refused(), False),
        ([CONNECT, ALL], forwarded(), refused(), False),
        # What has no rule is not refused, and nothing is taken for what it says.
        ([ALL], refused(), refused(403), False),
        ([ALL], forwarded(("x-user", "u")), forwarded(), False),
        ([ALL], refused(), forwarded(), False),
    ],
)
def test_a_connect_is_explained_by_a_rule_for_everything_alone(
    matches: list[dict[str, object]], native: Answer, ours: Answer, explained: bool
) -> None:
    message = {**MESSAGE, "rules": [{"match": match, "requires": {"provider_name": "p"}} for match in matches]}
    token = Minted("p", {}, {}, "header:x-token", "e30." + b64url(b'{"sub":"u"}') + ".s")
    tunnel = Case(
        1,
        Configuration("c", message),
        Request("CONNECT", "h:443", (("host", "h"),)),
        frozenset({"connect"}),
        (token,),
    )
    left = judge(Outcome(tunnel, native, ours))[1]
    assert (left is None) == explained


FORGIVING = {"requires_all": {"requirements": [{"allow_missing_or_failed": {}}, {"provider_name": "p"}]}}


@pytest.mark.parametrize(
    ("target", "match", "with_token", "explained"),
    [
        ("/r1/x", {"prefix": "/r1"}, True, True),
        ("/r1/x", {"prefix": "/r1"}, False, False),
        ("/r2/x", {"prefix": "/r1"}, True, False),
        ("/r2/x", {"prefix": "/"}, True, True),
        ("/r2/x", CONNECT, True, False),
    ],
)
def test_forgiving_explains_only_what_a_rule_for_the_request_may_have_forgiven(
    target: str, match: dict[str, object], with_token: bool, explained: bool
) -> None:
    message = {**MESSAGE, "rules": [{"match": match, "requires": FORGIVING}]}
    tokens = (Minted("p", {}, {"aud": "a"}, "header:x-token"),) if with_token else ()
    asked = Case(1, Configuration("c", message), Request("GET", target, (("host", "h"),)), frozenset(), tokens)
    left = judge(Outcome(asked, forwarded(target=target), refused()))[1]
    assert (left is None) == explained


def test_a_status_header_named_by_a_dash_is_none_of_ours() -> None:
    assert judge(Outcome(case(), forwarded(("-", "false")), forwarded())) == ({"status-header-dash"}, None)
    assert judge(Outcome(case(), forwarded(), forwarded(("-", "false"))))[1] is not None


def test_a_realm_differs_in_its_query_alone() -> None:
    native = refused(challenge='Bearer realm="http://h/x?jwt=secret", error="invalid_token"')
    described = 'Bearer realm="http://h/x", error="invalid_token", error_description="Expired."'
    assert judge(Outcome(case(), native, refused(challenge=described))) == (
        {"realm-without-query", "error-description"},
        None,
    )
    assert judge(Outcome(case(), native, refused(challenge=described.replace("/x", "/y"))))[1] is not None
    assert judge(Outcome(case(), native, refused(challenge='Bearer realm="http://h/x"')))[1] is not None
