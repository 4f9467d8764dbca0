# The watching half: finds or starts the script of one token, hands its output on, and says how it ended.
# Given: mode (start, find, or stop with a reason; find, to forget, ends by removing what it wrote), token, nonce (begins each line that is for onramp, and makes file names
# unique), out_at and err_at (bytes that onramp has already), grace (seconds between TERM and KILL) and, to start, job.
umask 077
say() { printf '%s %s\n' "$nonce" "$*"; }
give_up() { say "$@" && exit 0; }

naps=0
nap() {
  naps=$((naps + 1))
  if [ $naps -lt 10 ]; then pause=0.05; elif [ $naps -lt 40 ]; then pause=0.2; else pause=0.5; fi
  # Some know whole seconds only.
  sleep $pause 2>/dev/null || sleep 1
  # Without a word for long, nobody here would notice that onramp has gone.
  [ $((naps % 40)) -ne 0 ] || say beat || exit 1
}

# Anybody can make a folder in /var/tmp.
ours() {
  case $1 in *\'*) return 1 ;; esac
  [ -d "$1" ] && [ ! -h "$1" ] && [ -O "$1" ]
}
# Nobody else can look into it.
private() {
  ours "$1" || return 1
  case $(ls -ld "$1") in d???------*) return 0 ;; *) return 1 ;; esac
}

me=$(id -u)
if [ "$me" = 0 ]; then
  set -- /var/lib/onramp-claims ~root/.onramp-claims
else
  set -- "/var/tmp/onramp-claims-$me" "${HOME-}/.onramp-claims"
fi
claim='' why=''
for place; do
  if [ -z "$claim" ] && ours "$place" && [ -d "$place/$token" ]; then claim=$place/$token; fi
done
for place; do
  [ -z "$claim" ] && [ $mode != find ] || break
  said="$place is not a private folder of user $me"
  [ -d "$place" ] || said=$( { mkdir "$place" && chmod 700 "$place"; } 2>&1)
  if private "$place"; then
    [ -d "$place/$token" ] || said=$(mkdir "$place/$token" 2>&1)
    [ ! -d "$place/$token" ] || claim=$place/$token
  fi
  why="$why$said; "
done
if [ -z "$claim" ]; then
  [ $mode != find ] || give_up none
  give_up refused "${why%; }"
fi

finish() { # CODE, when the script's own shell cannot write it down any more
  [ -e "$claim/rc" ] || { echo "$1" >"$claim/rc.$nonce" && mv "$claim/rc.$nonce" "$claim/rc"; }
}

# The job travels through a pipe: no file and no argument holds it.
launch() {
  why=$({ : >"$claim/start.$nonce"; } 2>&1) || give_up refused "$why"
  if command -v setsid >/dev/null; then
    { send_job | setsid sh -s 2>"$claim/start.$nonce"; launched; } >/dev/null 2>&1 &
  else
    trap '' HUP
    set -m 2>/dev/null
    { send_job | sh -s 2>"$claim/start.$nonce"; launched; } >/dev/null 2>&1 &
    set +m 2>/dev/null
  fi
}
send_job() { printf '%s\n' "claim='$claim'" "$job"; }
launched() {
  if [ -d "$claim/run" ]; then rm -f "$claim/start.$nonce"; else mv "$claim/start.$nonce" "$claim/failed.$nonce"; fi
}

# On a full disk not even that could be written down.
refusal() {
  if [ -s "$claim/failed.$nonce" ]; then
    tr '\n' ' ' <"$claim/failed.$nonce"
  else
    echo "$claim cannot be written to; is its disk full? $(df -Pk "$claim" | tail -n 1)"
  fi
}

# What scripts wrote is kept for two weeks after their end, and that they ran for a year: nobody resumes later than that.
tidy() {
  find "${claim%/*}" \( -name out -mtime +13 \) -o \( -name rc -mtime +365 \) | while read -r old; do
    [ -e "${old%/*}/rc" ] || continue
    case $old in */out) rm -f "$old" "${old%/*}/err" ;; *) rm -rf "${old%/*}" ;; esac
  done
}

how=found
case $mode in
find)
  [ -d "$claim/run" ] || give_up none
  # onramp has all of it, and has written it down. It may hold a secret; that it ran and how it ended stays.
  if [ "$reason" = forget ]; then
    [ ! -e "$claim/rc" ] || rm -f "$claim/out" "$claim/err"
    give_up none
  fi
  ;;
# Whoever comes later, from a connection that was lost, may not start it any more.
stop) mkdir "$claim/run" 2>/dev/null && finish never ;;
start) [ -d "$claim/run" ] || { how=started && launch && tidy; } ;;
esac
until [ -d "$claim/run" ]; do
  [ ! -e "$claim/failed.$nonce" ] || give_up refused "$(refusal)"
  # Slower than any host: what has not begun by now shall not begin any more.
  if [ $naps -ge 60 ] && mkdir "$claim/run"; then finish never; fi
  nap
done

# Who made `run` writes the rest at once, or was cut off just there.
naps=0
until [ -e "$claim/pid" ] || [ -e "$claim/rc" ] || [ $naps -ge 30 ]; do nap; done
pid='' its_group='' its_born='' its_boot='' began=''
if [ -e "$claim/pid" ]; then
  { read -r pid && read -r its_group && read -r its_born && read -r its_boot && read -r began; } <"$claim/pid"
fi
now=$(date +%s)
[ -n "$began" ] || began=$now
say claim "$how $((now - began)) $claim"

processes() { # number, parent, group, state
  if [ -r /proc/self/stat ]; then
    for stat in /proc/[0-9]*/stat; do
      { read -r line <"$stat"; } 2>/dev/null || continue
      set -- "${line%% *}" ${line##*) }
      echo "$1 $3 $4 $2"
    done
  else
    ps -A -o pid= -o ppid= -o pgid= | while read -r one parent group; do echo "$one $parent $group R"; done
  fi
}
in_group() { processes | awk -v group="$its_group" '$3 == group && $4 !~ /[ZX]/ { print $1 }'; }
# Without setsid it has no group of its own: then its children, and theirs.
family() {
  processes | awk -v top="$pid" '{ parent[$1] = $2 }
    END { for (one in parent) { up = one; for (n = 0; n < 99 && up != top && up > 1; n++) up = parent[up]; if (up == top) print one } }'
}

# A process that was given the same number later is not ours, and nothing is after a restart of the host.
alive() {
  [ -n "$pid" ] && [ "$its_boot" = "$boot" ] || return 1
  if look "$pid"; then
    [ "$born" = "$its_born" ] || return 1
    case $state in Z | X) ;; *) return 0 ;; esac
  fi
  [ "$its_group" = "$pid" ] && [ -n "$(in_group)" ]
}
signal() {
  if [ "$its_group" = "$pid" ]; then kill -s "$1" -- "-$pid"; else kill -s "$1" $(family); fi 2>/dev/null
}

if [ $mode = stop ] && [ ! -e "$claim/rc" ] && { alive || [ -e "$claim/stopping" ]; }; then
  for stopped in TERM KILL; do
    echo "$stopped $reason" >"$claim/stopping"
    alive && signal $stopped
    deadline=$(($(date +%s) + grace))
    while alive && [ "$(date +%s)" -le $deadline ]; do nap; done
    alive || break
  done
  if alive; then give_up stuck "$pid"; fi
  if [ $stopped = TERM ]; then finish 143; else finish 137; fi
fi

hand() { # STREAM, and how much of it onramp has; leaves in $size how much there is
  size=$(($(wc -c <"$claim/$1")))
  [ $size -gt $2 ] || { size=$2 && return; }
  { say "$1" $((size - $2)) && tail -c +$(($2 + 1)) "$claim/$1" | head -c $((size - $2)); } || exit 1
}
naps=0
while [ -e "$claim/out" ]; do
  ended=''
  if [ -e "$claim/rc" ] || ! alive; then ended=yes; fi
  hand out $out_at && out_at=$size
  hand err $err_at && err_at=$size
  [ -z "$ended" ] || break
  nap
done
# Whoever stopped it may not have come to write it down.
[ ! -e "$claim/stopping" ] || finish 137
[ -e "$claim/rc" ] || give_up gone
read -r code <"$claim/rc"
by=''
if [ -e "$claim/stopping" ]; then read -r by <"$claim/stopping"; fi
say end "$code $by"
