//! The help of every command.

use dx_pkg_testkit::Project;
use insta::assert_snapshot;

use super::output;

/// Returns the help that `dx` prints.
pub(super) fn help<const N: usize>(args: [&str; N]) -> String {
    output(&Project::offline().create(), args)
}

#[test]
fn peers() {
    assert_snapshot!(help(["peers", "--help"]), @r"
    exit: 0
    --- stdout
    List the peer conflicts of the lockfile, with reasons and changes that would help

    Usage: dx peers [OPTIONS]

    Options:
          --registry <URL>          Install from this registry
          --offline                 Do not use the network
          --prefer-offline          Use cached metadata without checking whether it is current
          --prefer-online           Check whether cached metadata is current even while it is fresh
          --before <DATE>           Choose only versions published before this date
          --min-release-age <DAYS>  Choose only versions published at least this many days ago
      -C, --dir <FOLDER>            Run as if dx had been started in this folder
          --json                    Print one JSON object instead of text
          --reporter <KIND>         Show progress in this way: default, append-only or silent
      -s, --silent                  Print only errors
          --verbose                 Also print statistics: requests, bytes, links
      -h, --help                    Print help

    Ends with 1 if there is a conflict. `dx check peers` is the same.
    --- stderr
    ");
}

#[test]
fn install() {
    assert_snapshot!(help(["install", "--help"]), @r"
    exit: 0
    --- stdout
    Install the project's dependencies, or add packages to it

    Usage: dx install [OPTIONS] [PACKAGE]...

    Arguments:
      [PACKAGE]...  Packages to add: name, name@version, name@tag, name@npm:other, a folder, or a
                    tarball

    Options:
      -P, --save-prod               Save into dependencies, even if the package is in another section
                                    now
      -D, --save-dev                Save into devDependencies
      -O, --save-optional           Save into optionalDependencies
          --save-peer               Save into peerDependencies
      -B, --save-bundle             Also name them in bundleDependencies
          --no-save                 Leave package.json and the lockfile as they are
      -S, --save                    Save what changes in package.json (the default of add)
      -E, --save-exact              Save the exact version instead of a range
          --save-prefix <PREFIX>    Save versions with this in front: ^, ~ or nothing
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

#[test]
fn ci() {
    assert_snapshot!(help(["ci", "--help"]), @r"
    exit: 0
    --- stdout
    Install exactly what the lockfile says, replacing node_modules

    Usage: dx ci [OPTIONS]

    Options:
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

#[test]
fn run() {
    assert_snapshot!(help(["run", "--help"]), @r"
    exit: 0
    --- stdout
    Run a script of the project, or list them

    Usage: dx run [OPTIONS] [SCRIPT] [ARGUMENT]...

    Arguments:
      [SCRIPT]       The script, or a pattern for several (build:*, /^build/); without one, they are
                     listed
      [ARGUMENT]...  Arguments for the script; put -- before flags that dx has itself

    Options:
      -p, --parseable               List a script in a line, with : between its name and its text
          --if-present              Do nothing if there is no such script
      -w, --workspace <WORKSPACE>   Run in this workspace, given by its name or folder; may be repeated
          --workspaces[=<BOOL>]     Run in all workspaces, one after the other [alias: --ws]
          --no-workspaces           Run in the current folder's package although it is a workspace
          --include-workspace-root  Run in the project's own package too [alias: --iwr]
      -f, --force                   Go on where devEngines would stop
          --ignore-scripts          Skip the scripts that run before and after
      -C, --dir <FOLDER>            Run as if dx had been started in this folder
          --json                    Print one JSON object instead of text
          --reporter <KIND>         Show progress in this way: default, append-only or silent
      -s, --silent                  Print only errors
          --verbose                 Also print statistics: requests, bytes, links
      -h, --help                    Print help
    --- stderr
    ");
}

#[test]
fn test() {
    assert_snapshot!(help(["test", "--help"]), @r#"
    exit: 0
    --- stdout
    Run the project's script "test"

    Usage: dx test [OPTIONS] [ARGUMENT]...

    Arguments:
      [ARGUMENT]...  Arguments for the script; put -- before flags that dx has itself

    Options:
          --if-present              Do nothing if there is no such script
      -w, --workspace <WORKSPACE>   Run in this workspace, given by its name or folder; may be repeated
          --workspaces[=<BOOL>]     Run in all workspaces, one after the other [alias: --ws]
          --no-workspaces           Run in the current folder's package although it is a workspace
          --include-workspace-root  Run in the project's own package too [alias: --iwr]
      -f, --force                   Go on where devEngines would stop
          --ignore-scripts          Skip the scripts that run before and after
      -C, --dir <FOLDER>            Run as if dx had been started in this folder
          --json                    Print one JSON object instead of text
          --reporter <KIND>         Show progress in this way: default, append-only or silent
      -s, --silent                  Print only errors
          --verbose                 Also print statistics: requests, bytes, links
      -h, --help                    Print help
    --- stderr
    "#);
}

#[test]
fn start() {
    assert_snapshot!(help(["start", "--help"]), @r#"
    exit: 0
    --- stdout
    Run the project's script "start"

    Usage: dx start [OPTIONS] [ARGUMENT]...

    Arguments:
      [ARGUMENT]...  Arguments for the script; put -- before flags that dx has itself

    Options:
          --if-present              Do nothing if there is no such script
      -w, --workspace <WORKSPACE>   Run in this workspace, given by its name or folder; may be repeated
          --workspaces[=<BOOL>]     Run in all workspaces, one after the other [alias: --ws]
          --no-workspaces           Run in the current folder's package although it is a workspace
          --include-workspace-root  Run in the project's own package too [alias: --iwr]
      -f, --force                   Go on where devEngines would stop
          --ignore-scripts          Skip the scripts that run before and after
      -C, --dir <FOLDER>            Run as if dx had been started in this folder
          --json                    Print one JSON object instead of text
          --reporter <KIND>         Show progress in this way: default, append-only or silent
      -s, --silent                  Print only errors
          --verbose                 Also print statistics: requests, bytes, links
      -h, --help                    Print help
    --- stderr
    "#);
}

#[test]
fn stop() {
    assert_snapshot!(help(["stop", "--help"]), @r#"
    exit: 0
    --- stdout
    Run the project's script "stop"

    Usage: dx stop [OPTIONS] [ARGUMENT]...

    Arguments:
      [ARGUMENT]...  Arguments for the script; put -- before flags that dx has itself

    Options:
          --if-present              Do nothing if there is no such script
      -w, --workspace <WORKSPACE>   Run in this workspace, given by its name or folder; may be repeated
          --workspaces[=<BOOL>]     Run in all workspaces, one after the other [alias: --ws]
          --no-workspaces           Run in the current folder's package although it is a workspace
          --include-workspace-root  Run in the project's own package too [alias: --iwr]
      -f, --force                   Go on where devEngines would stop
          --ignore-scripts          Skip the scripts that run before and after
      -C, --dir <FOLDER>            Run as if dx had been started in this folder
          --json                    Print one JSON object instead of text
          --reporter <KIND>         Show progress in this way: default, append-only or silent
      -s, --silent                  Print only errors
          --verbose                 Also print statistics: requests, bytes, links
      -h, --help                    Print help
    --- stderr
    "#);
}

#[test]
fn restart() {
    assert_snapshot!(help(["restart", "--help"]), @r#"
    exit: 0
    --- stdout
    Run the project's script "restart", or "stop" and "start"

    Usage: dx restart [OPTIONS] [ARGUMENT]...

    Arguments:
      [ARGUMENT]...  Arguments for the script; put -- before flags that dx has itself

    Options:
          --if-present              Do nothing if there is no such script
      -w, --workspace <WORKSPACE>   Run in this workspace, given by its name or folder; may be repeated
          --workspaces[=<BOOL>]     Run in all workspaces, one after the other [alias: --ws]
          --no-workspaces           Run in the current folder's package although it is a workspace
          --include-workspace-root  Run in the project's own package too [alias: --iwr]
      -f, --force                   Go on where devEngines would stop
          --ignore-scripts          Skip the scripts that run before and after
      -C, --dir <FOLDER>            Run as if dx had been started in this folder
          --json                    Print one JSON object instead of text
          --reporter <KIND>         Show progress in this way: default, append-only or silent
      -s, --silent                  Print only errors
          --verbose                 Also print statistics: requests, bytes, links
      -h, --help                    Print help
    --- stderr
    "#);
}

#[test]
fn store() {
    assert_snapshot!(help(["store", "--help"]), @r"
    exit: 0
    --- stdout
    Manage the store

    Usage: dx store [OPTIONS] <COMMAND>

    Commands:
      path      Print the store's folder, which is what a CI cache should keep
      status    Print what the store holds and takes, and whether trees are prepared for this project
      export    Write the packages that the lockfile needs into one file, for CI caches
      import    Put the packages of a file that export has written into the store
      prune     Remove entries that were not used for long
      maintain  Run maintenance now: prepare the next trees, empty the trash
      verify    Check every package's digests

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
fn store_path() {
    assert_snapshot!(help(["store", "path", "--help"]), @r"
    exit: 0
    --- stdout
    Print the store's folder, which is what a CI cache should keep

    Usage: dx store path [OPTIONS]

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
fn store_status() {
    assert_snapshot!(help(["store", "status", "--help"]), @r"
    exit: 0
    --- stdout
    Print what the store holds and takes, and whether trees are prepared for this project

    Usage: dx store status [OPTIONS]

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
fn store_prune() {
    assert_snapshot!(help(["store", "prune", "--help"]), @r"
    exit: 0
    --- stdout
    Remove entries that were not used for long

    Usage: dx store prune [OPTIONS]

    Options:
          --unused-for <DAYS>  Remove entries last used more than this many days ago [default: 30]
          --max-size <SIZE>    Remove the least recently used packages until the store takes at most
                               this much: bytes, or with K, M or G
      -C, --dir <FOLDER>       Run as if dx had been started in this folder
          --json               Print one JSON object instead of text
          --reporter <KIND>    Show progress in this way: default, append-only or silent
      -s, --silent             Print only errors
          --verbose            Also print statistics: requests, bytes, links
      -h, --help               Print help
    --- stderr
    ");
}

#[test]
fn store_maintain() {
    assert_snapshot!(help(["store", "maintain", "--help"]), @r"
    exit: 0
    --- stdout
    Run maintenance now: prepare the next trees, empty the trash

    Usage: dx store maintain [OPTIONS]

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
