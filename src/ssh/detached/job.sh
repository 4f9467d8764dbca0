# The detached half: takes the right to run the script, runs it, and writes down how it ended.
# Given: claim (a folder) and script.

# A signal to the whole group ends the script, which does not inherit this; its end is still written down.
trap : HUP INT QUIT TERM
pid=$$
if [ -r /proc/self/stat ]; then read -r pid line </proc/self/stat; fi
look "$pid"

# What can fail comes first. Whoever makes `run` runs the script; nobody else ever does.
printf '%s\n' "$pid" "$group" "$born" "$boot" "$(date +%s)" >"$claim/pid.$pid" || exit 1
: >>"$claim/out" || exit 1
: >>"$claim/err" || exit 1
mkdir "$claim/run" || exit 1
mv "$claim/pid.$pid" "$claim/pid"
# After a power cut the claim must not be gone while something that the script did is there.
sync "$claim/.." "$claim" "$claim/pid" 2>/dev/null

printf '%s\n' "$script" | /bin/sh -s >>"$claim/out" 2>>"$claim/err"
echo $? >"$claim/rc.tmp" && mv "$claim/rc.tmp" "$claim/rc"
