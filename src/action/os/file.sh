# Putting a file in its place, and taking it back. Given: path, mode, owner, group (empty: as it is), content, validate, after,
# with_secret (a secret comes on standard input when it is written, and stands where the content says @secret@).
folder=${path%/*}
folder=${folder:-/}
new=$folder/.onramp-new-$store

# What tells one state of a file from another: its bytes, its mode, who owns it.
state() { sum=$(sha256sum <"$1") && echo "${sum%% *} $(stat -c '%a %u %g' "$1")"; }

# The new file takes the place of the old one in one step; whoever reads it finds the one or the other.
put() {
  settle "$new"
  mv -f "$new" "$path"
  settle "$folder"
  if command -v restorecon >/dev/null; then restorecon "$path" || say "the SELinux label of $path could not be set"; fi
}

then_after() {
  [ -n "$after" ] || return 0
  umask 022
  sh -eu -c "$after" onramp "$path" || { say "$path is $1, but what comes after it ended with code $?"; exit 5; }
}

# What is read stands in its places; it is in this shell and in the file, and nowhere else.
fill_in() {
  [ -n "$with_secret" ] || return 0
  given=$(cat) rest=$content content=''
  while :; do
    case $rest in *@secret@*) ;; *) break ;; esac
    content=$content${rest%%@secret@*}$given
    rest=${rest#*@secret@}
  done
  content=$content$rest
}

write_it() {
  fill_in
  [ -d "$folder" ] || { say "the folder $folder is not there"; exit 3; }
  [ ! -L "$path" ] || { say "$path is a link: name the file that it points to"; exit 3; }
  [ ! -e "$path" ] || [ -f "$path" ] || { say "$path is no file"; exit 3; }
  trap 'rm -f "$new"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  umask 077
  # Nobody else's file or link of that name is written to.
  rm -f "$new"
  # The shell's own printf has no words for a full disk.
  why=$(set -C && { printf '%s' "$content" | cat >"$new"; } 2>&1) || {
    say "the new file could not be written, and $path is as it was: $why"
    exit 3
  }
  if [ -e "$path" ]; then
    [ -n "$mode" ] || mode=$(stat -c %a "$path")
    [ -n "$owner" ] || owner=$(stat -c %u "$path")
    [ -n "$group" ] || group=$(stat -c %g "$path")
  fi
  [ -z "$owner" ] || chown "$owner" "$new"
  [ -z "$group" ] || chgrp "$group" "$new"
  chmod "${mode:-0644}" "$new"
  if [ -n "$validate" ]; then
    umask 022
    sh -eu -c "$validate" onramp "$new" || { say "the new file was not accepted (validate); $path is as it was"; exit 4; }
    umask 077
  fi
  remember
  put
  then_after written
  rm -f "$keep/unfinished"
  echo "$path is written"
}

# What was there before onramp came is kept once; every state that onramp makes is known, so that another is noticed.
remember() {
  mkdir -p "$keep"
  if [ ! -e "$keep/was" ]; then
    was=nothing
    if [ -e "$path" ]; then was="file $(state "$path")" && cp -p "$path" "$keep/file"; fi
    echo "$was" >"$keep/was.new"
    settle "$keep/was.new" "$keep"
    mv -f "$keep/was.new" "$keep/was"
  fi
  state "$new" >>"$keep/wrote"
  [ -z "$after" ] || : >"$keep/unfinished"
  settle "$keep/wrote" "$keep"
}

take_back() {
  [ -e "$keep/was" ] || { say "nothing is kept of what was at $path before, so it stays as it is"; exit 6; }
  read -r was sum mode owner group <"$keep/was"
  before=nothing now=nothing
  if [ "$was" = file ]; then before="$sum $mode $owner $group"; fi
  if [ -L "$path" ]; then now=link; elif [ -f "$path" ]; then now=$(state "$path"); elif [ -e "$path" ]; then now=other; fi
  if [ "$now" != "$before" ] && ! grep -qxF -e "$now" "$keep/wrote"; then
    say "$path is not as onramp left it: somebody has changed it since, so it stays. What was there before is kept in $keep"
    exit 7
  fi
  if [ "$was" = file ]; then
    trap 'rm -f "$new"' EXIT
    trap 'exit 1' HUP INT TERM PIPE
    umask 077
    rm -f "$new"
    cp -p "$keep/file" "$new"
    chown "$owner:$group" "$new"
    chmod "$mode" "$new"
    put
  else
    rm -f "$path"
    settle "$folder"
  fi
  then_after "as it was before"
  rm -rf "$keep"
  echo "$path is as it was before"
}
