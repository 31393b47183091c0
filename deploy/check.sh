#!/usr/bin/env bash
# Checks what deploy/ ships: the Mosquitto configuration with certificates made for this run, who may publish and read what,
# and that nothing the broker has acknowledged is lost by kill -9; then the systemd unit, where systemd-analyze is there.
# Needs mosquitto, mosquitto-clients, openssl. Listens on 127.0.0.1 only (ports 21883 and 28883 unless PLAIN and TLS say otherwise).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
broker=
PATH=$PATH:/usr/sbin
PLAIN=${PLAIN:-21883}
TLS=${TLS:-28883}
passed=0
failed=0

finish() {
    if [ -n "$broker" ]; then { kill -9 "$broker"; wait "$broker"; } 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT

check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@"; then passed=$((passed + 1)); echo "ok      $name"; else failed=$((failed + 1)); echo "FAILED  $name"; fi
}
not() { ! "$@"; }

certificate() { # certificate CN EXTENSION
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj "/CN=$1" 2>/dev/null
    openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days 2 -out "$work/$1.crt" \
        -extfile <(echo "$2") 2>/dev/null
}

start() {
    mosquitto -c "$work/watchfire.conf" >>"$work/log" 2>&1 &
    broker=$!
    for _ in $(seq 100); do
        if mosquitto_pub -p "$PLAIN" -u watchfire -P "$password" -t watchfire/v1/x/siren/up -n 2>/dev/null; then return 0; fi
        kill -0 "$broker" 2>/dev/null || break
        sleep 0.05
    done
    cat "$work/log"
    echo "mosquitto does not start with this configuration"
    exit 1
}

gateway() { # gateway CN: options of a client with that certificate
    echo "-h localhost -p $TLS --cafile $work/ca.crt --cert $work/$1.crt --key $work/$1.key"
}

# Mosquitto answers a forbidden publish with an ordinary PUBACK and drops it, so only a reader can tell.
arrives() { # arrives TOPIC PUBLISHER-OPTIONS...: whether the engine, or for a siren topic the siren, gets the message
    local topic=$1 reader got
    shift
    case $topic in
    */siren/*) reader=$(gateway siren-hongxin-SL-01) ;;
    *) reader="-p $PLAIN -u watchfire -P $password" ;;
    esac
    got=$work/got
    : >"$got"
    # shellcheck disable=SC2086
    timeout 2 stdbuf -oL mosquitto_sub $reader -q 1 -i "reader-$RANDOM" -t 'watchfire/v1/+' -t 'watchfire/v1/+/+' -t 'watchfire/v1/+/siren/+' -C 1 -d >"$got" 2>&1 &
    local reading=$!
    for _ in $(seq 60); do grep -q SUBACK "$got" && break; sleep 0.05; done
    mosquitto_pub "$@" -q 1 -t "$topic" -m "marker" 2>/dev/null || true
    wait "$reading" && grep -q '^marker' "$got"
}
refused() { ! arrives "$@"; }
publishes() { mosquitto_pub "$@" -t watchfire/v1/hongxin/LIA-101 -m x 2>/dev/null; }

password=$(openssl rand -hex 12)
mkdir "$work/db"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout "$work/ca.key" -out "$work/ca.crt" -subj "/CN=check" 2>/dev/null
certificate server "subjectAltName=DNS:localhost"
for name in hongxin-GW01 jinhe-GW01 siren-hongxin-SL-01 stranger; do certificate "$name" "extendedKeyUsage=clientAuth"; done
mosquitto_passwd -b -c "$work/watchfire.passwd" watchfire "$password" 2>/dev/null
awk -f "$here/mosquitto/acl.awk" "$here/../config/gateways.toml" >"$work/watchfire.acl"
# The shipped file with other folders and ports, and both listeners on loopback.
sed -e "s#/var/lib/mosquitto/#$work/db/#" -e "s#/etc/mosquitto/certs/#$work/#" -e "s#/etc/mosquitto/#$work/#" \
    -e "s#^listener 8883\$#listener $TLS 127.0.0.1#" -e "s#^listener 1883 #listener $PLAIN #" "$here/mosquitto/watchfire.conf" >"$work/watchfire.conf"
chmod -R a+rwX "$work"
start
check "mosquitto starts with the shipped configuration" kill -0 "$broker"

hongxin=$(gateway hongxin-GW01)
engine="-p $PLAIN -u watchfire -P $password"
# shellcheck disable=SC2086
{
    check "a gateway publishes a reading of its enterprise" arrives watchfire/v1/hongxin/LIA-101 $hongxin
    check "a gateway publishes a batch of its enterprise" arrives watchfire/v1/hongxin $hongxin
    check "a gateway cannot publish for another enterprise" refused watchfire/v1/jinhe/LIA-101 $hongxin
    check "a gateway cannot publish a batch for another enterprise" refused watchfire/v1/jinhe $hongxin
    check "a gateway cannot command a siren, not even its own" refused watchfire/v1/hongxin/siren/SL-01 $hongxin
    check "a certificate that the ACL does not list may do nothing" refused watchfire/v1/hongxin/LIA-101 $(gateway stranger)
    check "a siren controller cannot command a siren" refused watchfire/v1/hongxin/siren/SL-01 $(gateway siren-hongxin-SL-01)
    check "the engine commands a siren" arrives watchfire/v1/hongxin/siren/SL-01 $engine
    check "the engine cannot publish readings" refused watchfire/v1/hongxin/LIA-101 $engine
    check "nobody connects without a name" not publishes -p "$PLAIN"
    check "nobody connects with a wrong password" not publishes -p "$PLAIN" -u watchfire -P wrong
    check "the engine's password opens nothing without a certificate on the TLS listener" \
        not publishes -h localhost -p "$TLS" --cafile "$work/ca.crt" -u watchfire -P "$password"

    # The engine's session, with readings waiting in it.
    mosquitto_sub $engine -q 1 -c -i watchfire -t 'watchfire/v1/+/+' -E
    seq 500 | mosquitto_pub $hongxin -q 1 -t watchfire/v1/hongxin/LIA-101 -l
    # A gateway that says it is the engine, with a clean session: this would throw the engine's session away.
    mosquitto_pub $hongxin -q 1 -i watchfire -t watchfire/v1/hongxin/LIA-101 -m 501
    sleep 2 # autosave_interval is 1 s
    { kill -9 "$broker"; wait "$broker"; } 2>/dev/null || true
    start
    timeout 20 mosquitto_sub $engine -q 1 -c -i watchfire -t 'watchfire/v1/+/+' -C 501 >"$work/backlog" || true
    check "501 acknowledged readings survive kill -9 and a gateway that calls itself watchfire: $(wc -l <"$work/backlog") came back" \
        cmp -s "$work/backlog" <(seq 501)
}

if command -v systemd-analyze >/dev/null; then
    # The binary need not be installed here for the unit to be right.
    sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' "$here/systemd/watchfire.service" >"$work/watchfire.service"
    check "systemd accepts the unit" systemd-analyze verify "$work/watchfire.service"
    # 10 is no protection at all; the threshold is in tenths.
    guarded() { systemd-analyze security --offline=true --threshold=20 --no-pager "$work/watchfire.service" >/dev/null 2>&1; }
    check "systemd-analyze security finds it exposed below 2 of 10" guarded
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
