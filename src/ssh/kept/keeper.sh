# Each look is a subshell that has nothing of this shell but its environment.
onramp_home=$PWD
cd /
onramp_look() {
    printf '\036%s begin\n' "$1" >&2
    printf '\036%s begin\n' "$1"
    (
        cd "$onramp_home" 2>/dev/null || :
        eval "set --
unset onramp_home onramp_code
unset -f onramp_look
$2"
    ) </dev/null
    onramp_code=$?
    printf '\036%s %s\n' "$1" "$onramp_code" >&2
    printf '\036%s %s\n' "$1" "$onramp_code"
}
