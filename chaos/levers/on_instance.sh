# DNS of this instance, slow or silent, for a time: what the lever `instance_dns` has SSM run.
# POSIX sh, as root. `chaos_dns read|put|undo|end RUN …`; only `put` and the last two change anything.
#
# All that it knows is in /run/chaos/RUN/dns, which a reboot forgets, as it does tc and nftables:
# value (what was asked for), device, timer, and script (this text), which the timer runs.
# What is added is ended by that timer, which is started before anything is added.

PATH="/usr/local/sbin:/usr/sbin:/sbin:${PATH:-/usr/bin:/bin}"
export PATH LC_ALL=C
ROOT=c0a5 LATE=c0a6 TABLE=chaos_dns  # handles and a table that nobody else has

fail() {
  printf 'chaos: %s\n' "$*" >&2
  exit 3
}

default_device() {
  { ip -4 route show default; ip -6 route show default; } 2>/dev/null |
    sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1
}

# What of a device's queueing is not as the kernel makes it by itself (handle 0:). What filters
# arriving packets is not in the way.
customised() {
  tc qdisc show dev "$1" | while read -r _ kind handle _; do
    case "$kind $handle" in
      *' 0:' | 'ingress '* | 'clsact '*) ;;
      *) printf '%s %s ' "$kind" "$handle" ;;
    esac
  done
}

# Queries leave late: DNS over UDP and TCP, over IPv4 and IPv6, has a band of its own. All else goes
# through the three bands that it went through before.
add_delay() {
  tc qdisc add dev "$DEVICE" root handle "$ROOT:" prio bands 4 &&
    tc qdisc add dev "$DEVICE" parent "$ROOT:4" handle "$LATE:" netem \
      delay "$1ms" "$2ms" limit 10000 || return 1
  for number in 17 6; do
    tc filter add dev "$DEVICE" parent "$ROOT:" protocol ip prio 1 u32 \
      match ip protocol "$number" 0xff match ip dport 53 0xffff flowid "$ROOT:4" &&
      tc filter add dev "$DEVICE" parent "$ROOT:" protocol ipv6 prio 2 u32 \
        match ip6 protocol "$number" 0xff match ip6 dport 53 0xffff flowid "$ROOT:4" || return 1
  done
}

# Answers do not arrive. Queries that are dropped on their way out would fail at once instead.
add_silence() {
  nft -f - <<NFT
table inet $TABLE {
  chain before {
    type filter hook prerouting priority -310; policy accept;
    iifname "$DEVICE" udp sport 53 counter drop
    iifname "$DEVICE" tcp sport 53 counter drop
  }
}
NFT
}

# Takes away exactly what `put` has added; what somebody else has put in its place stays.
take_away() {
  [ -f "$DIR/device" ] || return 0
  DEVICE=$(cat "$DIR/device")
  if tc qdisc show dev "$DEVICE" 2>/dev/null | grep -q "^qdisc prio $ROOT: root"; then
    tc qdisc del dev "$DEVICE" root || return 1
  fi
  if nft list table inet "$TABLE" >/dev/null 2>&1; then
    nft delete table inet "$TABLE" || return 1
  fi
}

forget() {
  rm -rf "$DIR"
  rmdir "/run/chaos/$RUN" /run/chaos 2>/dev/null
  return 0
}

with_systemd() {
  [ -d /run/systemd/system ] && command -v systemd-run >/dev/null
}

arm() {
  if with_systemd; then
    systemd-run --quiet --unit="chaos-dns-$RUN" --on-active="${1}s" \
      --timer-property=AccuracySec=1s /bin/sh "$DIR/script" end "$RUN" && echo systemd >"$DIR/timer"
  else
    command -v setsid >/dev/null || return 1
    # shellcheck disable=SC2016  # it is the other shell that knows its number
    setsid sh -c 'echo "$$" >"$3/timer"; sleep "$1"; exec sh "$3/script" end "$2"' \
      chaos-dns "$1" "$RUN" "$DIR" </dev/null >/dev/null 2>&1 &
    until [ -s "$DIR/timer" ]; do sleep 0.05; done
  fi
}

disarm() {
  timer=$(cat "$DIR/timer" 2>/dev/null) || return 0
  if [ "$timer" = systemd ]; then
    systemctl stop "chaos-dns-$RUN.timer" 2>/dev/null
  elif grep -q "$DIR" "/proc/$timer/cmdline" 2>/dev/null; then
    kill -TERM "-$timer"  # with its sleep: it has a session of its own
  fi
  return 0
}

others() {
  for held in /run/chaos/*/dns; do
    [ -d "$held" ] && [ "$held" != "$DIR" ] && basename "$(dirname "$held")"
  done
}

# What there is, line by line. Nothing is changed.
tell() {
  others | sed 's/^/held /'
  [ -f "$DIR/value" ] && printf 'asked %s\n' "$(cat "$DIR/value")"
  device=$(cat "$DIR/device" 2>/dev/null || default_device)
  if command -v tc >/dev/null && [ -n "$device" ]; then
    tc -s qdisc show dev "$device" | grep -A 1 -E "^qdisc [a-z]+ ($ROOT|$LATE): " |
      sed 's/^/tc /'
    tc filter show dev "$device" parent "$ROOT:" 2>/dev/null | grep -c "flowid $ROOT:4" |
      sed 's/^/filters /'
  fi
  if command -v nft >/dev/null; then
    nft list table inet "$TABLE" 2>/dev/null | sed -n 's/.*counter packets/nft packets/p'
  fi
  timer=$(cat "$DIR/timer" 2>/dev/null) && printf 'timer %s\n' "$timer"
  return 0
}

put() {
  [ -z "$(others)" ] || fail "DNS here is still held by the run $(others)"
  if [ -d "$DIR" ]; then
    take_away || fail "what an earlier try has left cannot be taken away"
    disarm
    forget
  fi
  DEVICE=$(default_device)
  [ -n "$DEVICE" ] || fail "there is no default route here, so no device that DNS leaves by"
  need "$1"
  umask 077
  mkdir -p "$DIR" || fail "$DIR cannot be made"
  cat >"$DIR/script"  # what comes by standard input
  printf '%s\n' "$DEVICE" >"$DIR/device"
  printf '%s\n' "$*" >"$DIR/value"
  arm "$2" || { forget; fail "no timer to end it could be started, so nothing was changed"; }
  kind=$1
  shift 2
  if ! "add_$kind" "$@"; then
    take_away
    disarm
    forget
    fail "the kernel refused it, and nothing of it is left"
  fi
}

need() {
  if [ "$1" = delay ]; then
    command -v tc >/dev/null || fail "there is no tc: install iproute-tc or iproute2"
    found=$(customised "$DEVICE")
    [ -z "$found" ] || fail "the queueing of $DEVICE is customised (${found% }) and left alone"
  else
    command -v nft >/dev/null || fail "there is no nft: install nftables"
    ! nft list table inet "$TABLE" >/dev/null 2>&1 || fail "there is a table $TABLE already"
  fi
}

chaos_dns() {
  verb=$1 RUN=$2 DIR=/run/chaos/$2/dns
  shift 2
  [ "$(id -u)" = 0 ] || fail "this is not run as root"
  echo "chaos-dns $verb"
  case $verb in
    read) tell ;;
    put) put "$@" ;;
    undo) take_away && disarm && forget ;;
    end) take_away && forget ;;
  esac || fail "$verb failed"
  echo "chaos-dns done"
}
