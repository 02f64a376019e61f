"""Forged tokens: each differs from a valid one in one point."""

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

import jwt
from django.conf import settings

ATTACKERS_KEY = "a-key-of-an-attacker-of-more-than-64-bytes-so-that-its-length-is-not-the-reason"
JKU = "http://127.0.0.1:9/keys.json"

Claims = dict[str, Any]
Forgery = Callable[[Claims], str]


def claims_of(token: str) -> Claims:
    """Return the claims of a token without checking its signature."""
    return jwt.decode(token, options={"verify_signature": False})


def signed(claims: Any, *, key: str = "", algorithm: str = "HS256", **header: Any) -> str:
    """Return a token with these claims and headers, signed with our key by default."""
    parts = [{"alg": algorithm, "typ": "JWT", **header}, claims]
    text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
    signer = jwt.get_algorithm_by_name(
        algorithm if algorithm in {"HS256", "HS384", "HS512"} else "HS256"
    )
    return (
        f"{text}.{_base64(signer.sign(text.encode(), (key or settings.JWT_SIGNING_KEY).encode()))}"
    )


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _with(**changes: Any) -> Forgery:
    return lambda claims: signed({**claims, **changes})


def _after(name: str, seconds: int, cast: Callable[[int], Any] = int) -> Forgery:
    return lambda claims: signed({**claims, name: cast(claims["iat"] + seconds)})


def _without(name: str) -> Forgery:
    return lambda claims: signed({key: value for key, value in claims.items() if key != name})


def _header(**header: Any) -> Forgery:
    return lambda claims: signed(claims, **header)


def _attackers(**header: Any) -> Forgery:
    return lambda claims: signed(claims, key=ATTACKERS_KEY, **header)


def _unsigned(algorithm: str, signature: str = "") -> Forgery:
    return lambda claims: signed(claims, algorithm=algorithm).rpartition(".")[0] + f".{signature}"


def _edited(edit: Callable[[str], str]) -> Forgery:
    return lambda claims: edit(signed(claims))


def _next_letter(token: str) -> str:
    # 43 letters hold 258 bits and a signature has 256: four last letters decode to the same bytes.
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) ^ 1]


_OURS = "vineyard_group_fellowship"

FORGERIES: dict[str, Forgery] = {
    **{f"alg {name}": _unsigned(name) for name in ("none", "None", "NONE", "nOnE", "")},
    "alg none with a signature": _unsigned("none", "c2lnbmF0dXJl"),
    "alg HS384 with our key": lambda claims: signed(claims, algorithm="HS384"),
    "alg HS512 with our key": lambda claims: signed(claims, algorithm="HS512"),
    "alg RS256": lambda claims: signed(claims, algorithm="RS256"),
    "alg ES256": lambda claims: signed(claims, algorithm="ES256"),
    "alg lower case": lambda claims: signed(claims, algorithm="hs256"),
    "alg a list": _header(alg=["HS256"]),
    "alg an object": _header(alg={"HS256": 1}),
    "alg a number": _header(alg=256),
    "alg null": _header(alg=None),
    "no signature": _edited(lambda token: token.rpartition(".")[0] + "."),
    "two parts": _edited(lambda token: token.rpartition(".")[0]),
    "four parts": _edited(lambda token: token + ".e30"),
    "only dots": lambda _: "..",
    "a word": lambda _: "token",
    "a blank": lambda _: "a b",
    "another's key": _attackers(),
    "kid a path": _attackers(kid="../../../../dev/null"),
    "kid SQL": _attackers(kid="' UNION SELECT 'key"),
    "kid a list": _header(kid=["1"]),
    "jku of another": _attackers(jku=JKU),
    "x5u of another": _attackers(x5u=JKU),
    "jwk of another": _attackers(jwk={"kty": "oct", "k": _base64(ATTACKERS_KEY.encode())}),
    "crit unknown": _header(crit=["exp-in-the-header"]),
    "crit empty": _header(crit=[]),
    "crit no list": _header(crit="exp"),
    "crit unhashable": _header(crit=[["exp"]]),
    "b64 false": _header(b64=False, crit=["b64"]),
    "iss of another": _with(iss="another_service"),
    "iss longer": _with(iss=_OURS + "s"),
    "iss shorter": _with(iss=_OURS[:-1]),
    "iss a list": _with(iss=[_OURS]),
    "iss null": _with(iss=None),
    **{
        f"no {name}": _without(name)
        for name in ("iss", "exp", "iat", "jti", "sid", "user_id", "token_type")
    },
    "type unknown": _with(token_type="sliding"),
    "type null": _with(token_type=None),
    "type a list": _with(token_type=["access", "refresh"]),
    "exp over": _after("exp", -60),
    "exp a fraction long over": _with(exp=1.5),
    "exp negative": _with(exp=-1),
    "exp huge": _with(exp=10**18),
    "exp beyond every float": _with(exp=10**400),
    "exp infinite": _with(exp=float("inf")),
    "exp not a number": _with(exp=float("nan")),
    "exp a string": _with(exp="tomorrow"),
    "exp digits in a string": _after("exp", 600, str),
    "exp a list": _after("exp", 600, lambda value: [value]),
    "exp null": _with(exp=None),
    "nbf to come": _after("nbf", 3600),
    "iat to come": _after("iat", 3600),
    "iat huge": _with(iat=10**18),
    "iat negative": _with(iat=-1),
    "iat before all calendars": _with(iat=-(10**12)),
    "iat beyond the machine's clock": _with(iat=-(2**62)),
    "iat beyond every float": _with(iat=-(10**400)),
    "iat a fraction long ago": _with(iat=1.5),
    "iat infinite": _with(iat=float("-inf")),
    "iat not a number": _with(iat=float("nan")),
    "iat digits in a string": _with(iat="1"),
    "iat a list": _after("iat", 0, lambda value: [value]),
    "iat null": _with(iat=None),
    "jti a number": _with(jti=1),
    "jti a list": _with(jti=["1"]),
    "jti null": _with(jti=None),
    "jti NUL": _with(jti="\x00"),
    "jti half a character": _with(jti="\ud800"),
    "sid a number": _with(sid=1),
    "sid a word": _with(sid="mine"),
    "sid a list": _with(sid=[str(uuid.uuid4())]),
    "sid null": _with(sid=None),
    "sid unknown": _with(sid=str(uuid.uuid4())),
    "user_id unknown": _with(user_id=str(uuid.uuid4())),
    "user_id a number": _with(user_id=7),
    "user_id a word": _with(user_id="admin"),
    "claims a list": lambda _: signed([]),
    "claims null": lambda _: signed(None),
    "padded": _edited(lambda token: token + "="),
    "padded twice": _edited(lambda token: token + "=="),
    "the signature in another spelling": _edited(_next_letter),
    "a stray letter in the signature": _edited(lambda token: f"{token[:-4]}!{token[-4:]}"),
    "not ASCII": _edited(lambda token: token + "\u00e9"),
    "10 kB": lambda claims: signed({**claims, "more": "x" * 10_000}),
    "10 kB of nothing": lambda _: "x" * 10_000,
    "a deep header": lambda claims: _deep(signed(claims)),
}


def _deep(token: str) -> str:
    return ".".join([_base64(b"[" * 400 + b"]" * 400), *token.split(".")[1:]])
