# Where onramp keeps, for this step, what was there before it came. Given: store, the step's own name there.
if [ "$(id -u)" = 0 ]; then kept=/var/lib/onramp-kept; else kept=$HOME/.onramp-kept; fi
keep=$kept/$store
say() { printf 'onramp: %s\n' "$*" >&2; }
# Onto the disk, before anything that builds on it. Some know no files to sync.
settle() { sync "$@" 2>/dev/null || sync 2>/dev/null || true; }
