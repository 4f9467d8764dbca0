# What is at $path: a line about it, then its bytes, up to $most of them.
unfinished=no
if [ -e "$keep/unfinished" ]; then unfinished=yes; fi
if [ -L "$path" ]; then
  echo "link $(readlink "$path")"
elif [ -f "$path" ]; then
  stat -c "file $unfinished %a %u %U %g %G %s" "$path"
  head -c "$most" "$path"
elif [ -e "$path" ]; then
  echo other
else
  folder=${path%/*}
  if [ -d "${folder:-/}" ]; then echo absent; else echo adrift; fi
fi
