#!/bin/sh
# A file system that is really full: writes are refused before it, sled is never given the last byte it would choke on,
# and where it is, the process says so, ends, and has everything that it acknowledged.
#
#   full_disk.sh BINARY
#
# Needs root: the file system is a small one in memory, in a mount namespace of its own. Ends with 0 when all held.
set -eu

verbatim=$(realpath "${1:?the binary}")
if [ "${2:-}" != inside ]; then
    [ "$(id -u)" -eq 0 ] || { echo "full_disk.sh: needs root to mount a file system" >&2; exit 1; }
    exec unshare --mount "$0" "$verbatim" inside
fi

home=$(mktemp -d)
service=
clean() {
    [ -z "$service" ] || kill -9 "$service" 2>/dev/null || true
    umount "$home/disk" 2>/dev/null || true
    rm -rf "$home"
}
trap clean EXIT
fail() { echo "full_disk.sh: $*" >&2; cat "$home/log" >&2; exit 1; }

mkdir "$home/disk"
mount -t tmpfs -o size=12m tmpfs "$home/disk"

# Starts the service with so many MiB to be kept free, and waits until it listens or has ended.
start() {
    rm -f "$home/log"
    mkfifo "$home/said"
    "$verbatim" serve --data "$home/disk/data" --listen 127.0.0.1:0 --free-mib-min "$1" 2>"$home/said" &
    service=$!
    # All that the service says goes on to the log; the first line with an address is waited for.
    tee "$home/log" <"$home/said" >"$home/lines" &
    until url=$(sed -n 's/.* listens on \(http:[^;]*\);.*/\1/p' "$home/log" 2>/dev/null) && [ -n "$url" ]; do
        kill -0 "$service" 2>/dev/null || fail "it does not start"
    done
    rm "$home/said"
    export VERBATIM_SERVER="$url"
}

# The lines of writes with the numbers from $1 to $2, each of about 4 KB.
words=$(head -c 3900 /dev/zero | tr '\0' 'x')
lines() {
    for n in $(seq "$1" "$2"); do
        printf '{"recordBuyerStatement":{"statement":{"statementId":"s%s","dealId":"deal","speaker":{"stakeholderId":"ana"},"saidAt":"2025-01-02T03:04:05Z","attribution":"ATTRIBUTION_VERBATIM","quote":"%s"}}}\n' "$n" "$words"
    done
}
write_one() { lines "$1" "$1" | "$verbatim" load - >"$home/answer" 2>&1; }

# Writes from number $1 on until one is refused; $last is then a number up to which all were acknowledged.
write_until_refused() {
    last=$(($1 - 1))
    while lines $((last + 1)) $((last + 100)) | "$verbatim" load - >"$home/answer" 2>&1; do
        last=$((last + 100))
    done
}

kept() { "$verbatim" deal show deal --json | sed -n 's/.*"statements": *\([0-9]*\).*/\1/p'; }

echo "1. with space kept free: refused before the disk is full, taken again once there is space, by the same process"
start 8
write_until_refused 1
grep -q 'its disk is full' "$home/answer" || fail "refused otherwise: $(cat "$home/answer")"
before=$(kept)
[ "$before" -ge "$last" ] || fail "$last acknowledged, $before there"
mount -o remount,size=20m "$home/disk"
write_one $((before + 1)) || fail "it takes no writes after there is space"
kill -TERM "$service"; wait "$service" || fail "it did not stop in good order"; service=

echo "2. with nothing kept free: the disk runs full under it"
start 0
before=$(kept)
write_until_refused $((before + 1))
code=0; wait "$service" || code=$?; service=
[ "$code" -eq 70 ] || fail "it ended with $code"
grep -q 'the store refuses writes since a fault' "$home/log" || fail "it does not say why it ended"
if grep -q 'panicked at' "$home/log"; then fail "it panicked"; fi
tail -n 1 "$home/log"

echo "3. with space again: everything is there that was acknowledged"
mount -o remount,size=40m "$home/disk"
start 8
after=$(kept)
[ "$after" -ge "$last" ] || fail "$last acknowledged, $after there"
write_one $((after + 1)) || fail "it takes no writes"
kill -TERM "$service"; wait "$service" || fail "it did not stop in good order"; service=
echo "held: $after statements through two full disks"
