# Asks $server for the time, changes nothing: prints "offset SECONDS [STRATUM]", or "none" and why.
last() { printf '%s\n' "$1" | tail -n 4 | tr '\n' ' '; }

if command -v ntpdate >/dev/null && [ "$port" = 123 ]; then
    said=$(ntpdate -q "$server" 2>&1) || { echo "none $(last "$said")"; exit 0; }
    # ntpdate: "server 192.0.2.1, stratum 2, offset -0.000123, delay 0.02"; ntpsec's: "... +0.001 +/- 0.02 192.0.2.1 s2 no-leap"
    printf '%s\n' "$said" | awk '
        /stratum [1-9]/ { gsub(",", ""); for (i = 1; i < NF; i++) { if ($i == "offset") o = $(i + 1); if ($i == "stratum") s = $(i + 1) } }
        / \+\/- / { for (i = 2; i < NF; i++) { if ($i == "+/-") o = $(i - 1); if ($i ~ /^s[0-9]+$/) s = substr($i, 2) } }
        END { if (o == "") print "none no suitable answer"; else print "offset", o, s }'
elif [ "$port" = 123 ] && { command -v ntpdig || command -v sntp; } >/dev/null; then
    tool=$(command -v ntpdig || command -v sntp)
    said=$("$tool" "$server" 2>&1) || { echo "none $(last "$said")"; exit 0; }
    printf '%s\n' "$said" | awk '
        / \+\/- / { for (i = 2; i < NF; i++) { if ($i == "+/-") o = $(i - 1); if ($i ~ /^s[0-9]+$/) s = substr($i, 2) } }
        END { if (o == "") print "none no answer"; else print "offset", o, s }'
elif command -v chronyd >/dev/null; then
    # -Q prints and corrects nothing, -U needs no root (chronyd(8)). It says how wrong our clock is: the same offset.
    said=$(chronyd -U -Q -t 12 "server $server port $port iburst maxsamples 4" 2>&1) || {
        echo "none $(last "$said")"
        exit 0
    }
    printf '%s\n' "$said" | awk '
        /System clock wrong by/ { for (i = 1; i < NF; i++) if ($i == "by") o = $(i + 1) }
        END { if (o == "") print "none no suitable answer"; else print "offset", o }'
else
    exit "$no_tool"
fi
