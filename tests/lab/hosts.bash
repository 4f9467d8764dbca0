# shellcheck shell=bash
# The lab's hosts: what they are, how one is made, booted and taken away. Sourced by up, down, reset, status and in.
#
#   this machine 10.213.0.1 ── bridge onramp-out ── 10.213.0.10 bastion 10.214.0.10 ── bridge in netns onramp-private ──┬── app-1  10.214.0.11
#                                                                                                                      └── data-1 10.214.0.12
#
# Each host is a Debian booted by systemd-nspawn in its own network namespace, on an overlay over one cached root. The private
# bridge lives in a namespace of its own, so that this machine has no leg in it and the bastion is the only way in.

LAB=${ONRAMP_LAB_DIR:-/var/tmp/onramp-lab}
SUITE=${ONRAMP_LAB_SUITE:-bookworm}
# What a host is, then what the steps for names and mail work on.
# shellcheck disable=SC2034 # read by up
PACKAGES=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,iproute2,procps,sudo,nftables,chrony,iputils-ping
PACKAGES+=,bind9,bind9-dnsutils,postfix,libsasl2-modules,db5.3-util,ca-certificates,opendkim
PACKAGES+=,systemd-resolved,network-manager,dnsmasq-base
# One for each list: branches of this repository that want other packages do not take each other's away.
BASE=$LAB/base-$SUITE-$(cksum <<<"$PACKAGES" | cut -d' ' -f1)
RUN=$LAB/run # a tmpfs: keys and overlays of the lab that is up
HOSTS=(bastion app-1 data-1)
OUTSIDE=10.213.0
PRIVATE=10.214.0

role_of() { [[ $1 == bastion ]] && echo bastion || echo private; }
user_of() { [[ $1 == bastion ]] && echo ops || echo cloud; }
key_of() { echo "$RUN/keys/$(user_of "$1")_ed25519"; }
number_of() { case $1 in bastion) echo 10 ;; app-1) echo 11 ;; data-1) echo 12 ;; esac }
inside_address_of() { echo "$PRIVATE.$(number_of "$1")"; }
# The address by which onramp knows the host: the bastion's outer leg, the private hosts' only one.
address_of() { if [[ $1 == bastion ]]; then echo "$OUTSIDE.10"; else inside_address_of "$1"; fi; }
fingerprint_of() { ssh-keygen -lf "$RUN/keys/$1/ssh_host_ed25519_key.pub" | awk '{print $2}'; }

say() { printf 'lab: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
# The machine, not the lab, is at fault: callers may skip what needs a lab, loudly.
cannot() { printf 'lab: CANNOT RUN HERE: %s\n' "$*" >&2; exit 77; }

known_host() { [[ " ${HOSTS[*]} " == *" $1 "* ]] || fail "no host called '$1'; there are: ${HOSTS[*]}"; }

# One lab command at a time, and one lab on a machine. Every long-lived child must close descriptor 9.
take_turn() {
  local owner
  [[ $LAB =~ ^/[A-Za-z0-9_./-]+$ ]] || fail "ONRAMP_LAB_DIR must be an absolute path of letters, digits and _./- : $LAB"
  [[ $(id -u) == 0 ]] || cannot "booting hosts needs root, and this is $(id -un)"
  mkdir -p "$LAB"
  exec 9>"$LAB/.turn"
  flock -w 300 9 || fail "another lab command has been running for five minutes"
  owner=$(cat /sys/class/net/onramp-out/ifalias 2>/dev/null) || true
  [[ ${owner:-$LAB} == "$LAB" ]] || fail "the lab that is up on this machine belongs to ONRAMP_LAB_DIR=$owner"
}

# ---------------------------------------------------------------------------------------------- running hosts

# The process that boots the host, and boots it again when it reboots.
keeper_of() {
  local pid
  pid=$(cat "$RUN/hosts/$1/pid" 2>/dev/null) || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q -- "--machine=onramp-$1 " && echo "$pid"
}
is_alive() { keeper_of "$1" >/dev/null; }
# The host's process 1, as this machine numbers it.
leader_of() {
  local keeper nspawn
  keeper=$(keeper_of "$1") && nspawn=$(pgrep -o -P "$keeper" -x systemd-nspawn) && pgrep -o -P "$nspawn" -x systemd
}

inside() {
  local leader
  leader=$(leader_of "$1") || { say "$1 is not up"; return 1; }
  nsenter -t "$leader" -a env -i --chdir=/ PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "${@:2}"
}

# Hosts that shared a control group would take each other's processes for their own.
cgroups_of() {
  { findmnt -rn -t cgroup2 -o TARGET; findmnt -rn -t cgroup -O name=systemd -o TARGET; } | sed "s|\$|/onramp-$1|"
}

boot() {
  local host=$1 group
  say "boots $host"
  rm -f "$RUN/hosts/$host/console.log"
  (
    while read -r group; do
      { mkdir -p "$group" && echo "$BASHPID" >"$group/cgroup.procs"; } 2>/dev/null || cannot "no right to make control groups ($group)"
    done < <(cgroups_of "$host")
    export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
    # Under --keep-unit systemd-nspawn ends with 133 when the host asked for a reboot.
    exec setsid bash -c 'until "$@"; [[ $? != 133 ]]; do :; done' "onramp-$host" \
      systemd-nspawn --quiet --boot --register=no --keep-unit --machine="onramp-$host" --hostname="$host" \
      --network-namespace-path="/run/netns/onramp-$host" --capability=CAP_NET_ADMIN --console=read-only \
      --link-journal=no --resolv-conf=off --timezone=off --directory="$RUN/hosts/$host/root"
  ) </dev/null >"$RUN/hosts/$host/console.log" 2>&1 9>&- &
  echo $! >"$RUN/hosts/$host/pid"
  # Until it has become the keeper, or died on the way there.
  while ! is_alive "$host" && kill -0 $! 2>/dev/null; do sleep 0.02; done
}

wait_until_booted() {
  local host=$1 tries
  for ((tries = 0; tries < 300; tries++)); do
    if ! is_alive "$host"; then
      cannot "systemd-nspawn ended: $(tail -n 3 "$RUN/hosts/$host/console.log" | tr '\r\n' '  ')"
    fi
    inside "$host" systemctl is-active --quiet multi-user.target 2>/dev/null && return
    sleep 0.1
  done
  fail "$host did not reach multi-user.target in 30 s; see $RUN/hosts/$host/console.log"
}

kill_host() {
  local host=$1 group tries pid
  while read -r group; do
    [[ -d $group ]] || continue
    for ((tries = 0; tries < 50; tries++)); do
      find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null | while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep 0.1
    done
  done < <(cgroups_of "$host")
  rm -f "$RUN/hosts/$host/pid"
}

# ---------------------------------------------------------------------------------------------- a fresh host

make_host_keys() {
  local host=$1 kind
  mkdir -p "$RUN/keys/$host"
  for kind in rsa ecdsa ed25519; do
    [[ -s $RUN/keys/$host/ssh_host_${kind}_key ]] || ssh-keygen -q -t "$kind" -N '' -C "root@$host" -f "$RUN/keys/$host/ssh_host_${kind}_key"
  done
}

legs_of() { # HOST: its interfaces with their addresses, the outer one first
  echo "eth0 $(address_of "$1")"
  [[ $1 != bastion ]] || echo "eth1 $(inside_address_of bastion)"
}

# A host's firewall, addresses and routes live in its network namespace, which outlives it.
clean_network() {
  local host=$1 leg address
  ip netns exec "onramp-$host" chroot "$BASE" nft flush ruleset
  while read -r leg address; do
    # With its last address a leg loses its routes.
    ip -n "onramp-$host" address flush dev "$leg" scope global
    ip -n "onramp-$host" address add "$address/24" dev "$leg"
    ip -n "onramp-$host" link set "$leg" up
  done < <(legs_of "$host")
}

# A new overlay with what a cloud image has on first boot: host keys from $2, one user with a key and sudo, cloud-init's sshd file.
prepare_host() {
  local host=$1 keys=$2 here=$RUN/hosts/$1 user
  user=$(user_of "$host")
  umount "$here/root" 2>/dev/null || true
  rm -rf "$here"
  mkdir -p "$here"/{upper,work,root}
  mount -t overlay "onramp-$host" -o "lowerdir=$BASE,upperdir=$here/upper,workdir=$here/work" "$here/root" ||
    cannot "no overlay file system here"
  install -m 0600 "$keys"/ssh_host_*_key "$here/root/etc/ssh/"
  install -m 0644 "$keys"/ssh_host_*_key.pub "$here/root/etc/ssh/"
  echo "$host" >"$here/root/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$host" >"$here/root/etc/hosts"
  # Cloud images carry this line; what hardens sshd must sort before it to win.
  echo 'PasswordAuthentication yes' >"$here/root/etc/ssh/sshd_config.d/50-cloud-init.conf"
  chroot "$here/root" useradd --create-home --shell /bin/bash --password '*' "$user"
  echo "$user ALL=(ALL) NOPASSWD:ALL" >"$here/root/etc/sudoers.d/90-cloud-init-users"
  install -d -m 0700 "$here/root/home/$user/.ssh"
  install -m 0600 "$(key_of "$host").pub" "$here/root/home/$user/.ssh/authorized_keys"
  chroot "$here/root" chown -R "$user:$user" "/home/$user/.ssh"
}
