# A restart, once for each step, and only where one is needed. Given: needed (always, or when_required).
[ -r /proc/sys/kernel/random/boot_id ] || { say 'this kernel does not number its boots'; exit 2; }
read -r boot </proc/sys/kernel/random/boot_id

# The boot in which this step asked for a restart.
asked_in() { if [ -e "$keep/boot" ]; then cat "$keep/boot"; fi; }

wanted() {
  [ "$needed" = when_required ] || return 0
  if [ -e /var/run/reboot-required ]; then return 0; fi
  if command -v needs-restarting >/dev/null; then
    needs-restarting -r >/dev/null 2>&1 && return 1
    return 0
  fi
  return 1
}

look() {
  before=$(asked_in)
  if [ -n "$before" ] && [ "$before" != "$boot" ]; then echo "restarted $boot" && exit 0; fi
  [ -z "$before" ] || { say 'a restart was asked for, and has not happened yet' && exit 1; }
  wanted || { echo "unneeded $boot" && exit 0; }
  say 'it has not been restarted for this step' && exit 1
}

restart() {
  before=$(asked_in)
  if [ -n "$before" ] && [ "$before" != "$boot" ]; then echo 'it was restarted already' && return; fi
  umask 077
  mkdir -p "$keep"
  echo "$boot" >"$keep/boot.new"
  settle "$keep/boot.new"
  mv -f "$keep/boot.new" "$keep/boot"
  settle "$keep"
  echo "it goes down now; this is boot $boot"
  # A moment later, so that this script's own end is written down first.
  if command -v systemctl >/dev/null; then down='systemctl reboot'; else down=reboot; fi
  (trap '' HUP && sleep 1 && $down) </dev/null >/dev/null 2>&1 &
}
