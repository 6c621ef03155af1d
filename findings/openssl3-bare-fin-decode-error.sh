#!/usr/bin/env bash
# What was found: a server on OpenSSL 3 answers a client that closes its half of the connection (a FIN) before it has sent one
# byte with a fatal TLS alert, decode_error (50): 15 03 03 00 02 02 32. Nothing was there to decode. The call itself fails with
# "Unexpected EOF".
#
# Why one guesses wrong: RFC 8446, 6.2 has decode_error for a message that "could not be decoded"; for an end of file one expects
# the connection to be closed without a word, as OpenSSL 1.1.1 does (seen below beside it). A capture then shows a fatal alert of
# the server behind a client that only looked whether the port is open, and reads like a failed handshake.
#
# Seen with: OpenSSL 3.3.2 (PyPI cryptography 43.0.1) and OpenSSL 1.1.1n (PyPI cryptography 36.0.2), pyOpenSSL 24.2.1 and 22.0.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/server.py" <<'PY'
import datetime, socket, sys, threading
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto

key = rsa.generate_private_key(65537, 2048)
name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server.example")])
day = datetime.datetime(2026, 1, 1)
builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
builder = builder.not_valid_before(day).not_valid_after(day + datetime.timedelta(days=3650))
context = SSL.Context(SSL.TLS_SERVER_METHOD)
context.use_certificate(crypto.X509.from_cryptography(builder.sign(key, hashes.SHA256())))
context.use_privatekey(crypto.PKey.from_cryptography_key(key))

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()

def serve():
    accepted, _ = listener.accept()
    connection = SSL.Connection(context, accepted)
    connection.set_accept_state()
    try:
        connection.do_handshake()
    except SSL.Error as error:
        print("server:", repr(error), file=sys.stderr)
    accepted.close()

server = threading.Thread(target=serve)
server.start()
client = socket.create_connection(listener.getsockname())
client.shutdown(socket.SHUT_WR)
got = b""
while piece := client.recv(100):
    got += piece
server.join()
print(SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode().split(" ")[1], got.hex(" ") or "nothing")
PY

try() { # PYOPENSSL CRYPTOGRAPHY EXPECTED
    python3 -m venv "$folder/$2"
    "$folder/$2/bin/pip" install -q --disable-pip-version-check "pyOpenSSL==$1" "cryptography==$2"
    local said
    said=$("$folder/$2/bin/python" "$folder/server.py")
    echo "OpenSSL $said"
    [ "$said" = "$3" ] || { echo "expected: $3"; exit 1; }
}

try 24.2.1 43.0.1 "3.3.2 15 03 03 00 02 02 32"
try 22.0.0 36.0.2 "1.1.1n nothing"
