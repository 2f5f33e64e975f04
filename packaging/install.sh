#!/bin/sh
# Installs dx for the current user: fetches the archive of a release for this machine, verifies its
# digest, and puts the programs into a folder. Nothing else is changed; the output says how the
# folder gets on the PATH.
#
#   install.sh [--version VERSION] [--to FOLDER] [--from ADDRESS]
#
#   --version  a version such as 0.1.0 instead of the latest
#   --to       the folder for the programs; ~/.local/bin by default, or $DX_INSTALL_DIR
#   --from     the address that archives are below, or a folder; $DX_INSTALL_FROM
set -eu

from=${DX_INSTALL_FROM:-}
to=${DX_INSTALL_DIR:-${HOME:-}/.local/bin}
version=latest

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

while [ $# -gt 0 ]; do
  case $1 in
    --version | --to | --from)
      [ $# -gt 1 ] || fail "$1 needs a value"
      case $1 in
        --version) version=$2 ;;
        --to) to=$2 ;;
        --from) from=$2 ;;
      esac
      shift 2
      ;;
    -h | --help)
      sed -n '2,/^set -eu/{/^set -eu/d;s/^# \{0,1\}//;p;}' "$0"
      exit 0
      ;;
    *) fail "unknown argument $1; see --help" ;;
  esac
done

[ -n "$from" ] || fail "say where the archives are: --from ADDRESS, or DX_INSTALL_FROM"
case $to in
  /*) ;;
  *) to=$PWD/$to ;;
esac

# The target of the compiler that fits this machine.
target() {
  machine=$(uname -m)
  case $machine in
    x86_64 | amd64) cpu=x86_64 ;;
    aarch64 | arm64) cpu=aarch64 ;;
    *) fail "there is no dx for the processor $machine" ;;
  esac
  system=$(uname -s)
  case $system in
    Linux)
      libc=gnu
      # The C library of Alpine and others says so where it is asked for its version.
      if has ldd && ldd --version 2>&1 | grep -qi musl; then libc=musl; fi
      if ! has ldd && [ -n "$(find /lib -maxdepth 1 -name 'ld-musl-*' 2>/dev/null)" ]; then
        libc=musl
      fi
      echo "$cpu-unknown-linux-$libc"
      ;;
    Darwin) echo "$cpu-apple-darwin" ;;
    *) fail "there is no dx for $system here; on Windows, use npm or the archive of a release" ;;
  esac
}

# Fetches $1 into the file $2.
fetch() {
  case $1 in
    http://* | https://*)
      if has curl; then
        curl --fail --silent --show-error --location --output "$2" "$1"
      elif has wget; then
        wget --quiet --output-document="$2" "$1"
      else
        fail "curl or wget is needed"
      fi
      ;;
    *) cp "$1" "$2" ;;
  esac
}

digest() {
  if has sha256sum; then
    sha256sum "$1"
  elif has shasum; then
    shasum -a 256 "$1"
  else
    fail "sha256sum or shasum is needed to verify the archive"
  fi | cut -d ' ' -f 1
}

target=$(target)
archive=dx-$target.tar.gz
if [ "$version" = latest ]; then
  place=$from/latest/download
else
  place=$from/download/v$version
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
fetch "$place/$archive" "$work/$archive" || fail "$place/$archive cannot be fetched"
fetch "$place/$archive.sha256" "$work/expected" ||
  fail "$place/$archive.sha256 cannot be fetched, and nothing is installed that is not verified"
expected=$(cut -d ' ' -f 1 "$work/expected")
found=$(digest "$work/$archive")
[ "$expected" = "$found" ] ||
  fail "$archive has the digest $found and not $expected: it is damaged, or was exchanged"

mkdir "$work/files"
tar -xzf "$work/$archive" -C "$work/files"
mkdir -p "$to"
for program in dx dx-registry; do
  [ -f "$work/files/$program" ] || continue
  # Beside its place first: a dx that runs keeps its file.
  cp "$work/files/$program" "$to/.$program.new"
  chmod 755 "$to/.$program.new"
  mv -f "$to/.$program.new" "$to/$program"
done
installed=$("$to/dx" --version) || fail "$to/dx does not run on this machine"
echo "Installed $installed in $to."
case :${PATH:-}: in
  *:"$to":*) ;;
  *)
    echo "The folder is not on the PATH. Put this into the file that your shell reads at its start:"
    echo "  export PATH=\"$to:\$PATH\""
    ;;
esac
echo "To leave again: dx uninstall --self, then remove $to/dx."
