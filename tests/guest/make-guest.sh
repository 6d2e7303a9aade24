#!/bin/bash
# Make a small bootable Linux guest, for tests, out of Debian packages.
#
#   make-guest.sh [options] DISK.qcow2
#     --size SIZE               virtual size of the disk (256M)
#     --user NAME               the account besides root; sudo asks it no password (kiln)
#     --password WORD           of both accounts (kiln)
#     --key FILE.pub            public key that both accounts accept
#     --sshd openssh|dropbear   the SSH server; dropbear comes without SFTP (openssh)
#     --iso FILE                also write an installer ISO for the same system (BIOS)
#     --cache DIR               where downloaded packages are kept (debs, beside the disk)
#
# Needs no root (fakeroot then plays root), no loop device and no mount: file systems are filled by
# mke2fs -d and mtools, boot sectors are written by syslinux into plain files.
#
# The disk boots by BIOS (syslinux) and UEFI (systemd-boot) from virtio-blk, virtio-scsi or IDE: busybox init,
# DHCP on eth0, SSH, a login on ttyS0 and tty1, power-off by ACPI. Before SSH starts it reads a
# NoCloud seed (see root/etc/init.d/seed). The files of the guest itself are in root/ and initramfs/.
#
# The ISO stops at the isolinux prompt "boot:". Type
#   install answers=http://HOST:PORT/answers
# (initramfs/install tells what the answers may say), or `install` alone with a CD labelled cidata.
set -euo pipefail
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

die() { echo "make-guest: $*" >&2; exit 1; }
size=256M user=kiln password=kiln key='' sshd=openssh iso='' cache='' disk=''
arguments=("$@")
while (($#)); do
  case $1 in
    --size) size=${2:?}; shift ;;
    --user) user=${2:?}; shift ;;
    --password) password=${2:?}; shift ;;
    --key) key=$(realpath -e "${2:?}"); shift ;;
    --sshd) sshd=${2:?}; shift ;;
    --iso) iso=$(realpath -m "${2:?}"); shift ;;
    --cache) cache=$(realpath -m "${2:?}"); shift ;;
    -*) die "unknown option $1" ;;
    *) disk=$(realpath -m "$1") ;;
  esac
  shift
done
[[ -n $disk ]] || die "name the disk to write (the head of this file explains)"
[[ $sshd == openssh || $sshd == dropbear ]] || die "--sshd is openssh or dropbear"
cache=${cache:-$(dirname "$disk")/debs}
export PATH=$PATH:/usr/sbin:/sbin MTOOLS_SKIP_CHECK=1

# Packages are fetched before fakeroot begins: apt would take its root for a real one.
fetch() { # PACKAGE...: download what the cache lacks, and print the files
  local uri file missing=()
  while read -r uri file _; do
    [[ -s $cache/$file ]] || missing+=("${file%%_*}")
  done < <(apt-get download --print-uris "$@")
  if ((${#missing[@]})); then
    (cd "$cache" && apt-get download -qq -o APT::Sandbox::User=root "${missing[@]}" >&2)
  fi
  apt-get download --print-uris "$@" | awk '{ print $2 }'
}
libraries() { # PACKAGE...: these and every library package that they need
  local -A seen=()
  local next=("$@") found
  while ((${#next[@]})); do
    for found in "${next[@]}"; do seen[$found]=1; done
    mapfile -t found < <(apt-cache depends -i "${next[@]}" | awk '/^ +(Pre)?Depends:/ { print $2 }' |
      grep -E '^(z?lib)[a-z0-9.+-]+$' | sort -u)
    next=()
    local name
    for name in "${found[@]}"; do
      # Only modules of PAM would be of use, and sshd and sudo go without PAM's session machinery.
      [[ -n ${seen[$name]:-} || $name == libpam-runtime ]] || next+=("$name")
    done
  done
  printf '%s\n' "${!seen[@]}" | sort
}
if [[ -z ${KILN_GUEST_PACKAGES:-} ]]; then
  mkdir -p "$cache"
  if ! apt-cache show busybox-static > /dev/null 2>&1; then
    ((EUID == 0)) || die "apt knows no packages; as root run: apt-get update"
    apt-get update -qq
  fi
  kernel=$(apt-cache depends -i linux-image-cloud-amd64 | awk '/Depends:/ { print $2; exit }')
  [[ -n $kernel ]] || die "no package linux-image-cloud-amd64"
  programs=(busybox-static bash sudo tar rng-tools-debian openssh-client)
  case $sshd in
    openssh) programs+=(openssh-server openssh-sftp-server) ;;
    dropbear) programs+=(dropbear-bin) ;;
  esac
  mapfile -t wanted < <(libraries "${programs[@]}")
  KILN_GUEST_PACKAGES=$(fetch "${wanted[@]}" "$kernel")
  export KILN_GUEST_PACKAGES
fi
((EUID == 0)) || exec fakeroot -- "$BASH" "$here/make-guest.sh" "${arguments[@]}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf '%5.1f s  %s\n' "$((10 * (${EPOCHREALTIME/./} - begun) / 1000000))e-1" "$*" >&2; }
begun=${EPOCHREALTIME/./}

#-- packages into one tree, merged as Debian's /usr is -------------------------------------------
root=$work/root
kernel_tree=$work/kernel
mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},etc,dev,proc,sys,run,mnt,tmp,boot,var/{lib,log,empty}} "$kernel_tree"
for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$root/$dir"; done
for deb in $KILN_GUEST_PACKAGES; do
  if [[ $deb == linux-image-* ]]; then
    dpkg-deb --fsys-tarfile "$cache/$deb" | tar -x -C "$kernel_tree" ./boot ./lib/modules
  else
    # tar keeps the links bin -> usr/bin and puts what is packed below /bin through them.
    dpkg-deb --fsys-tarfile "$cache/$deb" |
      tar -x -C "$root" --keep-directory-symlink --exclude './usr/share/*' --exclude './usr/include/*' \
        --exclude './usr/lib/systemd/*' --exclude './lib/systemd/*' --exclude '*/gconv/*' --exclude './etc/*'
  fi
done
version=$(ls "$kernel_tree/lib/modules")
vmlinuz=$kernel_tree/boot/vmlinuz-$version
depmod -b "$kernel_tree" "$version"

# Modules are copied in the order in which they load, so that the guest needs no modprobe.
modules() { # FOLDER MODULE...
  local into=$1 module file n=100
  shift
  mkdir -p "$into"
  for module; do
    modprobe -d "$kernel_tree" -S "$version" --show-depends "$module" 2> /dev/null |
      awk '$1 == "insmod" { print $2 }' || true
  done | awk '!seen[$0]++' | while read -r file; do
    cp "$file" "$into/$((n++))-${file##*/}"
  done
}

#-- the root file system --------------------------------------------------------------------------
tar -c -C "$here/root" --owner=0 --group=0 --mode=u=rwX,go=rX . | tar -x -C "$root" --keep-directory-symlink
modules "$root/lib/guest-modules/net" virtio_pci virtio_net
modules "$root/lib/guest-modules/rest" button evdev ata_piix sr_mod isofs vfat nls_cp437 nls_ascii virtio_rng
busybox=$root/usr/bin/busybox
for applet in $("$busybox" --list); do
  # Commands that end the system are ours (usr/sbin/shutdown), the rest only where Debian's is absent.
  case $applet in busybox | poweroff | halt | reboot | dpkg* | rpm*) continue ;; esac
  [[ -e $root/usr/bin/$applet || -e $root/usr/sbin/$applet ]] || ln -s busybox "$root/usr/bin/$applet"
done
ln -s ../bin/busybox "$root/usr/sbin/init"
for verb in poweroff halt reboot; do ln -s shutdown "$root/usr/sbin/$verb"; done

hash=$("$busybox" mkpasswd -m sha512 "$password")
cat > "$root/etc/passwd" <<P
root:x:0:0:root:/root:/bin/bash
sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/:/usr/sbin/nologin
$user:x:1000:1000:$user:/home/$user:/bin/bash
P
printf '%s\n' root:x:0: tty:x:5: "sudo:x:27:$user" nogroup:x:65534: "$user:x:1000:" > "$root/etc/group"
printf '%s:19000:0:99999:7:::\n' "root:$hash" 'sshd:!' 'nobody:!' "$user:$hash" > "$root/etc/shadow"
mkdir -p "$root"/{root,"home/$user"}/.ssh "$root"/etc/{pam.d,dropbear,sudoers.d}
for home in root "home/$user"; do
  [[ -z $key ]] || cp "$key" "$root/$home/.ssh/authorized_keys"
  chmod -R go= "$root/$home/.ssh"
done
chown -R 1000:1000 "$root/home/$user"
for service in sudo other; do
  printf '%s required pam_unix.so\n' auth account session > "$root/etc/pam.d/$service"
done
cat > "$root/etc/sudoers" <<P
Defaults env_reset, secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
$user ALL=(ALL:ALL) NOPASSWD: ALL
@includedir /etc/sudoers.d
P
chmod 440 "$root/etc/sudoers"
chmod 640 "$root/etc/shadow"
chmod 700 "$root/root"
chmod 1777 "$root/tmp"
head -c 65536 /dev/urandom > "$root/var/lib/random-seed"
chmod 600 "$root/var/lib/random-seed"
case $sshd in
  openssh)
    for type in ed25519 ecdsa rsa; do
      ssh-keygen -q -t "$type" -N '' -C guest -f "$root/etc/ssh/ssh_host_${type}_key"
    done ;;
  dropbear)
    for type in ed25519 ecdsa rsa; do
      LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu "$root/usr/bin/dropbearkey" -t "$type" \
        -f "$root/etc/dropbear/dropbear_${type}_host_key" > /dev/null 2>&1
    done ;;
esac
say "root file system: $(du -sm "$root" | cut -f1) MiB"

#-- initramfs -------------------------------------------------------------------------------------
initramfs=$work/initramfs
mkdir -p "$initramfs"/{bin,dev,proc,sys,mnt,cd,run,etc}
cp "$busybox" "$initramfs/bin/"
ln -s busybox "$initramfs/bin/sh"
cp "$here"/initramfs/* "$initramfs/"
cp "$root/etc/udhcpc/script" "$initramfs/etc/dhcp"
chmod 755 "$initramfs"/{init,install,etc/dhcp}
modules "$initramfs/modules/first" virtio_pci virtio_blk ext4
modules "$initramfs/modules/second" virtio_scsi ata_piix sd_mod
pack() { (cd "$initramfs" && find . -mindepth 1 -printf '%P\0' | sort -z | cpio -0 -o -H newc -R 0:0 --quiet) | gzip -1 > "$1"; }
pack "$work/initrd"

#-- the disk: MBR, a FAT partition that both firmwares boot, the root file system -------------------
quick='quiet loglevel=3 mitigations=off no_timer_check audit=0 apparmor=0 cryptomgr.notests panic=5 nokaslr'
command_line="root=LABEL=guestroot $quick console=tty0 console=ttyS0,115200"
mib=2048 # sectors
fat=$work/fat
mkfs.vfat -C -F 16 -s 4 -h $mib -n GUESTBOOT "$fat" $((32 * 1024)) > /dev/null
cat > "$work/syslinux.cfg" <<P
DEFAULT guest
LABEL guest
  LINUX vmlinuz
  INITRD initrd
  APPEND $command_line
P
printf 'default guest.conf\ntimeout 0\n' > "$work/loader.conf"
printf 'title guest\nlinux /vmlinuz\ninitrd /initrd\noptions %s\n' "$command_line" > "$work/guest.conf"
mmd -i "$fat" ::EFI ::EFI/BOOT ::loader ::loader/entries
mcopy -i "$fat" "$vmlinuz" ::vmlinuz
mcopy -i "$fat" "$work/initrd" "$work/syslinux.cfg" ::
mcopy -i "$fat" /usr/lib/systemd/boot/efi/systemd-bootx64.efi ::EFI/BOOT/BOOTX64.EFI
mcopy -i "$fat" "$work/loader.conf" ::loader/
mcopy -i "$fat" "$work/guest.conf" ::loader/entries/
syslinux --install "$fat"

write_disk() { # RAW BYTES: BYTES is the size of the whole disk
  local raw=$1 first=$((33 * mib)) partition=$work/ext4
  rm -f "$partition"
  truncate -s $(($2 - first * 512)) "$partition"
  mke2fs -q -t ext4 -L guestroot -m 0 -N 8192 -O ^metadata_csum,^resize_inode -E root_owner=0:0 \
    -d "$root" "$partition"
  truncate -s "$2" "$raw"
  printf 'label: dos\nstart=%s, size=%s, type=ef, bootable\nstart=%s, type=83\n' $mib $((32 * mib)) $first |
    sfdisk -q "$raw"
  dd if=/usr/lib/syslinux/mbr/mbr.bin of="$raw" conv=notrunc status=none
  dd if="$fat" of="$raw" bs=1M seek=1 conv=notrunc,sparse status=none
  dd if="$partition" of="$raw" bs=1M seek=33 conv=notrunc,sparse status=none
}
write_disk "$work/disk" "$(numfmt --from=iec "$size")"
qemu-img convert -f raw -O qcow2 "$work/disk" "$work/disk.qcow2"
mv "$work/disk.qcow2" "$disk"
say "$disk: $(du -m "$disk" | cut -f1) MiB, $size virtual"

#-- the installer ----------------------------------------------------------------------------------
[[ -n $iso ]] || exit 0
modules "$initramfs/modules/install" virtio_net sr_mod isofs vfat nls_cp437 nls_ascii
pack "$work/initrd-install"
tree=$work/iso
mkdir -p "$tree/isolinux"
# Just large enough, because the guest unpacks it under emulation.
write_disk "$work/small" $((($(du -sm --apparent-size "$root" | cut -f1) + 33 + 24) << 20))
gzip -1 < "$work/small" > "$tree/disk.gz"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$tree/isolinux/"
cp "$vmlinuz" "$tree/isolinux/vmlinuz"
cp "$work/initrd-install" "$tree/isolinux/initrd"
cat > "$tree/isolinux/isolinux.cfg" <<P
PROMPT 1
TIMEOUT 0
DEFAULT disk
SAY test guest installer: type install answers=URL
LABEL install
  LINUX vmlinuz
  INITRD initrd
  APPEND guest.install $quick console=ttyS0,115200 console=tty0
LABEL disk
  LOCALBOOT 0x80
P
xorriso -as mkisofs -quiet -R -J -V GUESTCD -b isolinux/isolinux.bin -c isolinux/boot.cat \
  -no-emul-boot -boot-load-size 4 -boot-info-table -o "$work/installer.iso" "$tree" 2> /dev/null
mv "$work/installer.iso" "$iso"
say "$iso: $(du -m "$iso" | cut -f1) MiB"
