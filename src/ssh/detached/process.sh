# What is known of process $1, in $state, $group and $born (when it began). False when there is none.
look() {
  if [ -r /proc/self/stat ]; then
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    # The second word is a name in parentheses, and may hold anything.
    set -- ${line##*) }
    state=$1 group=$3 born=${20}
  else
    group=$(ps -o pgid= -p "$1" 2>/dev/null) && [ -n "$group" ] || return 1
    state=R group=$((group)) born=$(ps -o lstart= -p "$1" 2>/dev/null || ps -o args= -p "$1")
  fi
}

# The number of this boot, where the kernel tells it.
boot=''
if [ -r /proc/sys/kernel/random/boot_id ]; then read -r boot </proc/sys/kernel/random/boot_id; fi
