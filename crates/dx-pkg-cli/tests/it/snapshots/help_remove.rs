//! The help of `dx remove`.

use insta::assert_snapshot;

use super::help::help;

#[test]
fn remove() {
    assert_snapshot!(help(["remove", "--help"]), @r"
    exit: 0
    --- stdout
    Remove packages from the project

    Usage: dx remove [OPTIONS] [PACKAGE]...

    Arguments:
      [PACKAGE]...  Names of the packages

    Options:
          --self                    Remove what dx keeps on this machine: its store and its links from
                                    other tools' names
      -y, --yes                     With --self: do not ask
          --no-save                 Leave package.json and the lockfile as they are
      -S, --save                    Save what changes in package.json (the default of add)
          --frozen-lockfile         Fail instead of changing the lockfile
          --no-frozen-lockfile      Change the lockfile where package.json requires it (the default)
          --registry <URL>          Install from this registry
          --dxrp <WHEN>             Use dx's own protocol: auto (where a registry speaks it), off, or
                                    required
          --offline                 Do not use the network
          --prefer-offline          Use cached metadata without checking whether it is current
          --prefer-online           Check whether cached metadata is current even while it is fresh
          --tag <TAG>               Install the version with this dist-tag where no version is named
          --before <DATE>           Choose only versions published before this date
          --min-release-age <DAYS>  Choose only versions published at least this many days ago
          --strict-peer-deps        Fail on a peer conflict
          --no-solve                Do not solve peer conflicts
          --legacy-peer-deps        Ignore peer dependencies
      -f, --force                   Look at every installed file and restore what is missing; allow
                                    other platforms and versions of Node.js
          --os <OS>                 Choose packages for this operating system
          --cpu <CPU>               Choose packages for this processor
          --libc <LIBC>             Choose packages for this C library: glibc or musl
          --no-package-lock         Neither read nor write a lockfile
          --lockfile-only           Write the lockfile and leave node_modules alone
          --lockfile-version <N>    Write the lockfile in this version: 1, 2 or 3
          --allow-unused-patches    Allow patches for no package
          --ignore-patch-failures   Install packages without patches that do not fit
          --workspaces              Do it for all workspaces, not for the project
          --no-workspaces           Leave the workspaces alone
      -w, --workspace <WORKSPACE>   Do it for this workspace, by name or folder; may be repeated
          --include-workspace-root  With --workspace or --workspaces: do it for the project too
          --omit <KIND>             Do not install this kind of dependency; may be repeated [possible
                                    values: dev, optional, peer]
          --prod                    The same as --omit=dev
          --include <KIND>          Install this kind of dependency although it is omitted; may be
                                    repeated [possible values: prod, dev, optional, peer]
          --ignore-scripts          Run no scripts, not even the project's
          --no-bin-links            Link no commands into node_modules/.bin
          --no-background           Leave no process running
          --install-strategy <HOW>  Place packages as far up as there is no conflict, or less far
      -g, --global                  Do it for globally installed packages
          --dry-run                 Print what would change, and change nothing
          --timing <FILE>           Write the requests and their times into this file, as JSON
      -C, --dir <FOLDER>            Run as if dx had been started in this folder
          --json                    Print one JSON object instead of text
          --reporter <KIND>         Show progress in this way: default, append-only or silent
      -s, --silent                  Print only errors
          --verbose                 Also print statistics: requests, bytes, links
      -h, --help                    Print help
    --- stderr
    ");
}
