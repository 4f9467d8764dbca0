# Packages of the distribution, whoever else is using its package manager. Given: names as arguments, patience (seconds).
if command -v dpkg-query >/dev/null; then
  family=debian locks='/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock'
  there() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
elif command -v rpm >/dev/null; then
  family=redhat locks='/var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock'
  there() { rpm -q "$1" >/dev/null 2>&1; }
else
  say "this host has neither dpkg nor rpm"
  exit 2
fi
locks=${onramp_locks:-$locks}

missing() { # those of the arguments that are not installed
  for name; do there "$name" || printf ' %s' "$name"; done
}

# Who holds one of the package manager's locks: its number and what it is called. Nothing when nobody does.
holder() {
  for lock in $locks; do
    [ -e "$lock" ] || continue
    pid=$(awk -v file=":$(stat -c %i "$lock")$" '$2 != "->" && $5 > 0 && $6 ~ file { print $5; exit }' /proc/locks 2>/dev/null) || pid=''
    if [ -n "$pid" ]; then held "$pid" && return; fi
  done
  # dnf and yum hold no lock in the kernel, they write their number down.
  for note in /var/cache/dnf/metadata_lock.pid /var/run/yum.pid; do
    pid=$(cat "$note" 2>/dev/null) || continue
    if kill -0 "$pid" 2>/dev/null; then held "$pid" && return; fi
  done
}
held() { echo "process $1 ($(cat "/proc/$1/comm" 2>/dev/null || echo 'its name is not known'))"; }

deadline=$(($(date +%s) + patience))
# Until nobody holds a lock; says once for whom it waits.
wait_for_lock() {
  by=$(holder) said=''
  while [ -n "$by" ]; do
    if [ "$(date +%s)" -ge $deadline ]; then too_long "$by"; fi
    [ "$said" = "$by" ] || { echo "waiting for the package lock: $by holds it" && said=$by; }
    sleep 2
    by=$(holder)
  done
}
too_long() {
  say "the package lock is held by $1, for longer than $patience s: nothing was changed"
  exit 75
}

# Runs the package manager; when another one was quicker, waits for that and tries again.
manage() {
  while :; do
    wait_for_lock
    code=0
    "$@" 2>"$keep/said" || code=$?
    cat "$keep/said" >&2
    [ $code -ne 0 ] || return 0
    case $(cat "$keep/said") in
    *'Could not get lock'* | *'Unable to acquire the dpkg frontend lock'* | *'dpkg frontend lock was locked'* | *"can't create transaction lock"*) ;;
    *) say "$1 ended with code $code" && exit 4 ;;
    esac
    [ "$(date +%s)" -lt $deadline ] || too_long 'another package manager'
    sleep 2
  done
}

apt() { manage apt-get -q -y -o DPkg::Lock::Timeout="$patience" -o Dpkg::Options::=--force-confold "$@"; }

install_them() {
  set -- $(missing "$@")
  [ $# -gt 0 ] || { echo 'all of them are installed' && return; }
  umask 077
  mkdir -p "$keep"
  printf '%s\n' "$@" >>"$keep/installed"
  settle "$keep/installed" "$keep"
  umask 022
  if [ $family = debian ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt update
    apt --no-install-recommends install "$@"
  else
    manage dnf -q -y --setopt=exit_on_lock=True install "$@"
  fi
  still=$(missing "$@")
  [ -z "$still" ] || { say "still not installed:$still" && exit 4; }
}

# Only what this step installed goes; the package manager refuses where something else needs it.
remove_them() {
  [ -e "$keep/installed" ] || { echo 'this step installed nothing' && return; }
  set -- $(sort -u "$keep/installed")
  gone=$(missing "$@")
  for name; do
    shift
    case " $gone " in *" $name "*) ;; *) set -- "$@" "$name" ;; esac
  done
  if [ $# -gt 0 ] && [ $family = debian ]; then manage dpkg --remove "$@"; fi
  if [ $# -gt 0 ] && [ $family = redhat ]; then manage rpm -e "$@"; fi
  rm -rf "$keep"
}
