# What a host is, one fact a line: name=value. Needs no rights beyond those of whoever logs in.
tell() { printf '%s=%s\n' "$1" "$(printf %s "$2" | tr -d '\n"')"; }
id='' id_like='' version=''
if [ -r /etc/os-release ]; then
  while IFS='=' read -r name value; do
    value=${value#\"} value=${value%\"}
    value=${value#\'} value=${value%\'}
    case $name in ID) id=$value ;; ID_LIKE) id_like=$value ;; VERSION_ID) version=$value ;; esac
  done </etc/os-release
fi
family=other
case " $id $id_like " in
*' debian '* | *' ubuntu '*) family=debian ;;
*' rhel '* | *' fedora '* | *' centos '*) family=redhat ;;
*' suse '* | *' opensuse '*) family=suse ;;
esac
tell distribution "$id"
tell version "$version"
tell family $family
tell kernel "$(uname -r)"
tell architecture "$(uname -m)"
boot=''
if [ -r /proc/sys/kernel/random/boot_id ]; then read -r boot </proc/sys/kernel/random/boot_id; fi
tell boot "$boot"
init=other
if [ -d /run/systemd/system ]; then init=systemd; fi
tell init $init
selinux=none
if command -v getenforce >/dev/null; then selinux=$(getenforce | tr '[:upper:]' '[:lower:]'); fi
tell selinux "$selinux"
active() { [ $init = systemd ] && systemctl -q is-active "$1" 2>/dev/null; }
firewall=none
if active firewalld; then
  firewall=firewalld
elif [ -r /etc/ufw/ufw.conf ] && grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then
  firewall=ufw
elif active nftables; then
  firewall=nftables
fi
tell firewall $firewall
sudo=none
if [ "$(id -u)" = 0 ]; then
  sudo=root
elif command -v sudo >/dev/null; then
  if sudo -n true 2>/dev/null; then sudo=free; else sudo=password; fi
fi
tell sudo $sudo
for place in / /var /tmp; do
  free=$(df -Pk "$place" 2>/dev/null | awk 'NR == 2 { print $4 }')
  name=${place#/}
  if [ -n "$free" ]; then tell "free_mib_${name:-root}" $((free / 1024)); fi
done
