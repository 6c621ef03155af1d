#!/usr/bin/env bash
# What was found: where xrdp 0.9.21 refuses a client's ClientHello it sends the TLS alert that one expects (protocol_version, 70) and
# right behind it, in clear and outside of any TLS record, nine bytes of the layer that TLS should have carried: an MCS Disconnect
# Provider Ultimatum in TPKT and X.224 (03 00 00 09 02 f0 80 21 80, [MS-RDPBCGR] 2.2.2.3). The TLS handshake never finished.
#
# Why one guesses wrong: behind an RDP Negotiation Response that selects TLS everything is TLS records ([MS-RDPBCGR] 5.4.5.1). A
# reader that holds to that takes the nine bytes for a broken record, or for another protocol on the port, and loses the alert
# that says what is wrong.
#
# Seen with: Debian's xrdp 0.9.21.1-1+deb12u3 and openssl 3.0, the server with TLS 1.3 alone, a client with TLS 1.2 alone.
# Needs Debian 12 and root: xrdp's socket folder is in /run.
set -euo pipefail
version=0.9.21.1-1+deb12u3
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

apt-get -q download "xrdp=$version" >/dev/null 2>&1
dpkg -x xrdp_*.deb root
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 -subj /CN=server.example 2>/dev/null
install -d -m 3777 /run/xrdp/sockdir
cat >xrdp.ini <<INI
[Globals]
ini_version=1
fork=true
port=tcp://127.0.0.1:23389
security_layer=tls
certificate=$folder/cert.pem
key_file=$folder/key.pem
ssl_protocols=TLSv1.3
[Logging]
LogFile=$folder/xrdp.log
LogLevel=INFO
EnableSyslog=false
[Channels]
[none]
name=none
lib=libvnc.so
ip=127.0.0.1
port=5999
INI
LD_LIBRARY_PATH=root/usr/lib/x86_64-linux-gnu/xrdp root/usr/sbin/xrdp -n -c "$folder/xrdp.ini" >output 2>&1 &
server=$!

cat >client.py <<'PY'
import socket, ssl, time

for _ in range(50):
    try:
        server = socket.create_connection(("127.0.0.1", 23389))
        break
    except ConnectionRefusedError:
        time.sleep(0.1)
# X.224 Connection Request with RDP_NEG_REQ: TLS.
server.sendall(bytes.fromhex("030000130ee000000000000100080001000000"))
confirm = server.recv(19)
assert confirm[11:13] == b"\x02\x01" and confirm[15] == 1, confirm.hex()  # RDP_NEG_RSP, TLS
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.maximum_version = ssl.TLSVersion.TLSv1_2
received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
client = context.wrap_bio(received, to_send)
try:
    client.do_handshake()
except ssl.SSLWantReadError:
    pass
server.sendall(to_send.read())
answer = b""
while piece := server.recv(1000):
    answer += piece
print(answer.hex(" "))
PY
said=$(python3 client.py)
echo "xrdp $version: $said"
expected="15 03 03 00 02 02 46 03 00 00 09 02 f0 80 21 80"
[ "$said" = "$expected" ] || { echo "expected: $expected"; exit 1; }
