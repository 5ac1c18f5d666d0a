#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Keys and tokens of NATS for tests, by the command openssl.

usage: nkeys.py DIR   makes in DIR
  user.seed, user.pub      a user's NKey: the seed, the public key
  user.creds               a user's JWT and seed, of an account with JetStream
  operator.conf            what a server needs that trusts the account

Source: https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt
"""
import base64
import json
import os
import subprocess
import sys
import tempfile
import time

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3
DER_HEAD = bytes.fromhex("302e020100300506032b657004220420")  # PKCS #8 (RFC 8410), then the seed


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, stdout=subprocess.PIPE, check=True).stdout


def text_of(data):
    """Base32 with a check sum (CRC-16/XMODEM)."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xffff
    return base64.b32encode(data + crc.to_bytes(2, "little")).rstrip(b"=").decode()


class Key:
    def __init__(self, kind, seed=None):
        self.kind = kind
        self.raw = seed or openssl("genpkey", "-algorithm", "ED25519", "-outform", "DER")[-32:]
        public = openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER", data=self.der())
        self.public = text_of(bytes([kind]) + public[-32:])

    def der(self):
        return DER_HEAD + self.raw

    def seed(self):
        return text_of(bytes([SEED | self.kind >> 5, (self.kind & 31) << 3]) + self.raw)

    def sign(self, data):
        with tempfile.TemporaryDirectory() as tmp:
            for name, content in (("key", self.der()), ("data", data)):
                with open(os.path.join(tmp, name), "wb") as f:
                    f.write(content)
            return openssl("pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey",
                           os.path.join(tmp, "key"), "-in", os.path.join(tmp, "data"))


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(issuer, subject, name, claims):
    body = {"jti": name, "iat": int(time.time()), "iss": issuer.public, "sub": subject.public,
            "name": name, "nats": {"version": 2, **claims}}
    parts = ({"typ": "JWT", "alg": "ed25519-nkey"}, body)
    text = ".".join(base64url(json.dumps(part).encode()) for part in parts)
    return text + "." + base64url(issuer.sign(text.encode()))


def account(operator, key, name, storage):
    limits = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
              "wildcards": True, "conn": -1, "leaf": -1}
    if storage:
        limits.update({"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1})
    return jwt(operator, key, name, {"type": "account", "limits": limits,
                                     "default_permissions": {"pub": {}, "sub": {}}})


def sign_with_creds(path, nonce):
    """The JWT in a file of credentials, and the nonce signed with its seed."""
    with open(path, encoding="ascii") as f:
        lines = f.read().split("\n")
    seed = next(line for line in lines if line.startswith("SU"))
    raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    return lines[1], base64url(Key(USER, raw[2:34]).sign(nonce.encode()))


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def main():
    operator, app, system = Key(OPERATOR), Key(ACCOUNT), Key(ACCOUNT)
    user, alone = Key(USER), Key(USER)
    os.makedirs(sys.argv[1], exist_ok=True)
    os.chdir(sys.argv[1])
    token = jwt(app, user, "user", {"type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1,
                                    "payload": -1})
    write("user.seed", alone.seed() + "\n")
    write("user.pub", alone.public + "\n")
    write("user.creds", f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
          f"-----BEGIN USER NKEY SEED-----\n{user.seed()}\n------END USER NKEY SEED------\n")
    trusted = jwt(operator, operator, "operator", {"type": "operator"})
    write("operator.conf", f"operator: {trusted}\nsystem_account: {system.public}\n"
          "resolver: MEMORY\nresolver_preload: {\n"
          f"  {app.public}: {account(operator, app, 'app', True)}\n"
          f"  {system.public}: {account(operator, system, 'system', False)}\n}}\n")


if __name__ == "__main__":
    main()
