//! The help of the commands that write and read archives.

use insta::assert_snapshot;

use super::help::help;

#[test]
fn store_export() {
    assert_snapshot!(help(["store", "export", "--help"]), @r"
    exit: 0
    --- stdout
    Write the packages that the lockfile needs into one file, for CI caches

    Usage: dx store export [OPTIONS] <FILE>

    Arguments:
      <FILE>  The file to write; - is standard output

    Options:
          --lockfile <LOCKFILE>  Write the packages of this lockfile, or of the one in this folder,
                                 instead of the project's; may be repeated
          --os <OS>              Take packages for this operating system
          --cpu <CPU>            Take packages for this processor
          --libc <LIBC>          Take packages for this C library: glibc or musl
          --omit <KIND>          Leave this kind of dependency out; may be repeated [possible values:
                                 dev, optional, peer]
          --prod                 The same as --omit=dev
          --include <KIND>       Take this kind of dependency although it is omitted; may be repeated
                                 [possible values: prod, dev, optional, peer]
      -C, --dir <FOLDER>         Run as if dx had been started in this folder
          --json                 Print one JSON object instead of text
          --reporter <KIND>      Show progress in this way: default, append-only or silent
      -s, --silent               Print only errors
          --verbose              Also print statistics: requests, bytes, links
      -h, --help                 Print help
    --- stderr
    ");
}

#[test]
fn store_import() {
    assert_snapshot!(help(["store", "import", "--help"]), @r"
    exit: 0
    --- stdout
    Put the packages of a file that export has written into the store

    Usage: dx store import [OPTIONS] <FILE>

    Arguments:
      <FILE>  A file that `dx store export` has written; - is standard input

    Options:
      -C, --dir <FOLDER>     Run as if dx had been started in this folder
          --json             Print one JSON object instead of text
          --reporter <KIND>  Show progress in this way: default, append-only or silent
      -s, --silent           Print only errors
          --verbose          Also print statistics: requests, bytes, links
      -h, --help             Print help
    --- stderr
    ");
}

#[test]
fn store_verify() {
    assert_snapshot!(help(["store", "verify", "--help"]), @r"
    exit: 0
    --- stdout
    Check every package's digests

    Usage: dx store verify [OPTIONS]

    Options:
          --fix              Repair damaged packages, or remove them so that they are fetched again
      -C, --dir <FOLDER>     Run as if dx had been started in this folder
          --json             Print one JSON object instead of text
          --reporter <KIND>  Show progress in this way: default, append-only or silent
      -s, --silent           Print only errors
          --verbose          Also print statistics: requests, bytes, links
      -h, --help             Print help
    --- stderr
    ");
}
