"""Messages beyond the inner network: signed by whoever wrote them, and encrypted for whoever may read them.

One suite and no choice: Ed25519 over the exact bytes (JWS compact, RFC 7515 and RFC 9864), then ECDH-ES+A256KW on X25519 with A256GCM
around the signed text (JWE compact, RFC 7516). What a message says of its own algorithms is compared, never obeyed. Nothing is
compressed, so nothing can swell. A key is named by its RFC 7638 thumbprint, which cannot name two keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import OKPKey

from backoffice.base64url import NotCanonical, decode, encode

LARGEST = 64 * 1024
"""Bytes of a message inside, unless the caller says otherwise."""
CONTENT_TYPE = "application/jose"

SIGNS = "Ed25519"
_ALSO_SIGNS = "EdDSA"  # the name that RFC 9864 replaced: with an Ed25519 key it means the same, and older libraries write it
_WRAPS, _ENCRYPTS = "ECDH-ES+A256KW", "A256GCM"
_SIGNED_HEADER = {"alg", "kid", "typ", "cty"}
_ENCRYPTED_HEADER = {"alg", "enc", "kid", "epk", "cty", "typ"}
_KID_LENGTH = 64
_HEADER_LENGTH = 1024

PublicJwk = Mapping[str, Any]


class NotProtected(Exception):
    """This cannot be opened; `reason` says why, in words for the department's programmer (Chinese). It never quotes the message."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class BorderKey:
    """A key of our own: signs with Ed25519, opens with X25519. Its kids are published at /.well-known/jwks.json."""

    signing: Ed25519PrivateKey = field(repr=False)
    opening: OKPKey = field(repr=False)
    signing_jwk: dict[str, str]
    opening_jwk: dict[str, str]

    @classmethod
    def of(cls, seed: bytes) -> BorderKey:
        """The pair made of one 32-byte seed; HKDF (RFC 5869) keeps its two uses apart."""
        signing = Ed25519PrivateKey.from_private_bytes(seed)
        secret = HKDF(SHA256(), 32, salt=None, info=b"township border encryption v1").derive(seed)
        public = encode(X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw())
        opening = _jwk("X25519", public, "enc", _WRAPS)
        private = OKPKey.import_key({"kty": "OKP", "crv": "X25519", "x": public, "d": encode(secret)})
        return cls(signing, private, _jwk("Ed25519", encode(signing.public_key().public_bytes_raw()), "sig", SIGNS), opening)


class BorderKeys:
    """The town's keys, by version: the newest signs, all of them open; a town without one cannot pass the border."""

    def __init__(self, seeds: Mapping[str, bytes]) -> None:
        self._keys = [BorderKey.of(seed) for seed in seeds.values()]
        self.by_kid = {key.opening_jwk["kid"]: key for key in self._keys}

    @property
    def current(self) -> BorderKey | None:
        """The key in use, or None when `mobile-api key create` has still to make one."""
        return self._keys[-1] if self._keys else None

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public halves of all of them, newest first (RFC 7517, section 5)."""
        return {"keys": [jwk for key in reversed(self._keys) for jwk in (key.signing_jwk, key.opening_jwk)]}


def protect(message: bytes, key: BorderKey, recipient: PublicJwk | None = None) -> bytes:
    """The exact bytes, signed; and encrypted for `recipient`, a public X25519 key from `checked_jwk`, where there is one."""
    header = encode(msgspec.json.encode({"alg": SIGNS, "kid": key.signing_jwk["kid"]}))
    signed = f"{header}.{encode(message)}".encode()
    token = signed + b"." + encode(key.signing.sign(signed)).encode()
    if recipient is None:
        return token
    sealed = {"alg": _WRAPS, "enc": _ENCRYPTS, "kid": recipient["kid"], "cty": "jose"}
    to = OKPKey.import_key({name: recipient[name] for name in ("kty", "crv", "x")})
    return jwe.encrypt_compact(sealed, token, to, registry=_Registry(len(token))).encode()


def open_protected(
    token: bytes,
    known: Iterable[PublicJwk],
    own: Mapping[str, BorderKey],
    *,
    is_encrypted: bool = False,
    largest: int = LARGEST,
) -> bytes:
    """The message inside, if one of the `known` keys (from `checked_jwk`) signed it; raises NotProtected and nothing else.

    `own` opens what is encrypted, by kid. With `is_encrypted` a message that is only signed is refused.
    """
    if len(token) > _longest(_longest(largest)):
        raise NotProtected(f"消息太长，内容最多 {largest} 字节")
    parts = _parts(token)
    if len(parts) == 5:  # noqa: PLR2004 - RFC 7516, section 7.1
        parts = _parts(_decrypted(parts, own, largest))
    elif is_encrypted:
        raise NotProtected("消息没有加密：本部门登记了加密要求，请先签名、再用本镇的公钥加密（/.well-known/jwks.json）")
    if len(parts) != 3:  # noqa: PLR2004 - RFC 7515, section 7.1
        raise NotProtected("不是 JWS（三段）或 JWE（五段）的紧凑格式")
    return _verified(parts, known, largest)


def checked_jwk(jwk: object, use: str) -> dict[str, str]:
    """A department's public key as it is kept: `use` "verify" wants Ed25519, "encrypt" X25519; raises ValueError with the remedy.

    The kid is what the department calls its key, else its thumbprint.
    """
    curve, purpose, algorithm = {"verify": ("Ed25519", "sig", SIGNS), "encrypt": ("X25519", "enc", _WRAPS)}[use]
    if not isinstance(jwk, Mapping) or jwk.get("kty") != "OKP" or jwk.get("crv") != curve:
        raise ValueError(f'公钥应为 JWK：{{"kty": "OKP", "crv": "{curve}", "x": "…"}}（RFC 8037）')
    if "d" in jwk:
        raise ValueError("这是私钥（含 d），不能交给别人：请只提供公钥，并更换这把密钥")
    kid = jwk.get("kid")
    if kid is not None and not _is_kid(kid):
        raise ValueError(f"kid 应为 1 至 {_KID_LENGTH} 个可见的英文字符")
    return _jwk(curve, _public(jwk.get("x")), purpose, algorithm, kid)


def _jwk(curve: str, x: str, use: str, algorithm: str, kid: str | None = None) -> dict[str, str]:
    return {"kty": "OKP", "crv": curve, "x": x, "use": use, "alg": algorithm, "kid": kid or thumbprint(curve, x)}


def thumbprint(curve: str, x: str) -> str:
    """The name of a public key (RFC 7638, members in alphabetical order)."""
    return encode(hashlib.sha256(msgspec.json.encode({"crv": curve, "kty": "OKP", "x": x})).digest())


def _public(x: object) -> str:
    try:
        raw = decode(x.encode()) if isinstance(x, str) else b""
    except (NotCanonical, UnicodeEncodeError):
        raw = b""
    # All small multiples of nothing: a shared secret with such a point is zero, whoever has the other half (RFC 7748, section 6.1).
    if len(raw) != 32 or int.from_bytes(raw, "little") < 2:  # noqa: PLR2004 - bytes of a point of either curve
        raise ValueError("公钥的 x 应为 32 字节的 base64url，且不能是无效的点")
    return encode(raw)


def _is_kid(kid: object) -> bool:
    return isinstance(kid, str) and 1 <= len(kid) <= _KID_LENGTH and kid.isascii() and kid.isprintable() and " " not in kid


def _parts(token: bytes) -> list[bytes]:
    return token.split(b".", 5)


def _header(raw: bytes, allowed: set[str]) -> dict[str, Any]:
    """The protected header, strictly: no unknown member (so no zip, crit, jwk, jku, x5u), each of them once."""
    if len(raw) > _HEADER_LENGTH:
        raise NotProtected("头部太长")
    try:
        header = json.loads(decode(raw), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise NotProtected("头部不是 base64url 编码的 JSON，或有一项写了不止一次") from error
    if not isinstance(header, dict) or not header.keys() <= allowed:
        raise NotProtected(f"头部只能有 {'、'.join(sorted(allowed))}，不能压缩（zip），也不能自带密钥")
    if "alg" not in header or not _is_kid(header.get("kid")):
        raise NotProtected("头部缺少 alg 或 kid，或 kid 太长")
    return header


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which no name stands twice (RFC 7515, section 4)."""
    found = dict(members)
    if len(found) != len(members):
        raise ValueError
    return found


def _decrypted(parts: list[bytes], own: Mapping[str, BorderKey], largest: int) -> bytes:
    header = _header(parts[0], _ENCRYPTED_HEADER)
    if (header["alg"], header.get("enc")) != (_WRAPS, _ENCRYPTS):
        raise NotProtected(f'加密算法应为 "alg": "{_WRAPS}"、"enc": "{_ENCRYPTS}"')
    key = own.get(header["kid"])
    if key is None:
        raise NotProtected("加密用的 kid 不是本镇的密钥：请重新读取 /.well-known/jwks.json")
    try:
        for part in parts[1:]:
            decode(part)
        return bytes(jwe.decrypt_compact(b".".join(parts), key.opening, registry=_Registry(_longest(largest))).plaintext or b"")
    except (NotCanonical, JoseError, InvalidTag, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotProtected("无法解密：内容被改动过，或不是用本镇的这把公钥加密的") from error


def _verified(parts: list[bytes], known: Iterable[PublicJwk], largest: int) -> bytes:
    header = _header(parts[0], _SIGNED_HEADER)
    if header["alg"] not in (SIGNS, _ALSO_SIGNS):
        raise NotProtected(f'签名算法应为 "alg": "{SIGNS}"')
    key = next((jwk for jwk in known if jwk["kid"] == header["kid"]), None)
    if key is None:
        raise NotProtected("签名用的 kid 不在本部门登记的公钥中，或已停用")
    try:
        message, signature = decode(parts[1]), decode(parts[2])
        Ed25519PublicKey.from_public_bytes(decode(str(key["x"]).encode())).verify(signature, b".".join(parts[:2]))
    except (NotCanonical, InvalidSignature, ValueError) as error:
        raise NotProtected("签名不符：内容被改动过，或不是用 kid 所指的密钥签的") from error
    if len(message) > largest:
        raise NotProtected(f"消息太长，内容最多 {largest} 字节")
    return message


def _longest(inner: int) -> int:
    """Bytes of a token around `inner` bytes."""
    return inner * 4 // 3 + 4 * _HEADER_LENGTH


class _Registry(JWERegistry):
    """One suite: "zip" is no member of it, so nothing is ever inflated."""

    def __init__(self, largest: int) -> None:
        super().__init__(algorithms=[_WRAPS, _ENCRYPTS])
        self.max_ciphertext_length = _longest(largest)  # the library holds the encoded text against the same limit
