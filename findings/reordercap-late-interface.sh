#!/usr/bin/env bash
# What was found: reordercap of Wireshark 4.0 ends with an internal error, and a file cut short, on a valid pcapng in which an
# Interface Description Block stands behind a packet: "epb.interface_id (1) >= wdh->interface_data->len (1)". It is the fault of how
# it copies: editcap, mergecap and capinfos of the same package take the same file. Nothing is out of order in it.
#
# Why one guesses wrong: in pcapng (draft-ietf-opsawg-pcapng, Interface Description Block) an interface is described before the
# packets that name it, not before all packets, and a writer that learns of an interface later relies on it. reordercap is what one
# is told to use on captures whose times are out of order, and the tools around it say that the file is fine.
#
# Seen with: Debian 12's wireshark-common, libwiretap13, libwsutil14 4.0.17-0+deb12u3 (what they need besides is glib, gnutls, gcrypt).
set -euo pipefail
version=4.0.17-0+deb12u3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

for package in wireshark-common libwiretap13 libwsutil14; do
    apt-get -q download "$package=$version" >/dev/null 2>&1
    dpkg -x "${package}"_*.deb root
done
export LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu
tool() { "$folder/root/usr/bin/$1" "${@:2}"; }

python3 - <<'PY'
import struct

def block(kind, body):
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length

section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
interface = block(1, struct.pack("<HHI", 1, 0, 0))
frame = bytes.fromhex("ffffffffffff0202020202020800") + bytes(46)

def packet(number, micros):
    return block(6, struct.pack("<IIIII", number, micros >> 32, micros & 0xFFFFFFFF, 60, 60) + frame)

at = 1_700_000_000_000_000
early = section + interface + interface + packet(0, at) + packet(1, at + 1) + packet(0, at + 2)
late = section + interface + packet(0, at) + interface + packet(1, at + 1) + packet(0, at + 2)
open("early.pcapng", "wb").write(early)
open("late.pcapng", "wb").write(late)
PY

tool reordercap early.pcapng sorted.pcapng >early.txt 2>&1
echo "both interfaces first: $(tail -n 1 early.txt)"
for name in editcap mergecap; do
    case $name in
        editcap) tool editcap late.pcapng copy.pcapng ;;
        mergecap) tool mergecap -w copy.pcapng late.pcapng ;;
    esac
    frames=$(tool capinfos -Trc -B copy.pcapng 2>/dev/null | cut -f 2)
    echo "an interface behind a packet, $name: $frames frames"
    [ "$frames" = 3 ]
done
if tool reordercap late.pcapng sorted.pcapng >late.txt 2>&1; then
    echo "reordercap writes it now"
    exit 1
fi
grep -F 'epb.interface_id (1) >= wdh->interface_data->len (1)' late.txt
frames=$(tool capinfos -Trc -B sorted.pcapng 2>/dev/null | cut -f 2 || true)
echo "an interface behind a packet, reordercap: an internal error, $frames of 3 frames written"
[ "$frames" = 1 ]
