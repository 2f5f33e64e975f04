//! The help of every command.

use dx_pkg_testkit::Project;
use insta::assert_snapshot;

use super::output;

/// Returns the help that `dx` prints.
pub(super) fn help<const N: usize>(args: [&str; N]) -> String {
    output(&Project::offline().create(), args)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one help text, which lists every command")]
fn dx() {
    assert_snapshot!(help(["--help"]), @r#"
    exit: 0
    --- stdout
    The dx package manager

    Usage: dx [OPTIONS] <COMMAND>

    Commands:
      install          Install the project's dependencies, or add packages to it [aliases: i, add]
      ci               Install exactly what the lockfile says, replacing node_modules
      remove           Remove packages from the project [aliases: rm, uninstall, un]
      update           Update packages to the newest versions that package.json allows [aliases: up,
                       upgrade]
      dedupe           Choose versions anew, so that fewer copies of packages are installed [alias: ddp]
      find-dupes       Show what "dedupe" would change, and change nothing
      prune            Remove packages that the project does not require
      link             Link the folder of a package into the project, or register the project's own for
                       that [alias: ln]
      unlink           Remove packages from the project, or the registration of the package in this
                       folder
      patch            Change files of an installed package, and keep the change as a patch
      patch-commit     Make a patch of the changes in a folder that dx patch made
      patch-remove     Remove patches, and install the packages as they are published
      fetch            Bring the packages of the lockfile into the store, without a package.json
      deploy           Copy a workspace with its production dependencies into a folder of its own
      import           Convert a lockfile into the package-lock.json that dx and npm write
      install-scripts  Manage decisions about install scripts
      approve-scripts  Approve install scripts of packages, in allowScripts of package.json
      deny-scripts     Deny install scripts of packages, in allowScripts of package.json
      rebuild          Run the allowed install scripts of packages again, and link their commands again
                       [alias: rb]
      run              Run a script of the project, or list them [alias: run-script]
      exec             Run a command of an installed package, or of one that is fetched for it [alias:
                       x]
      dlx              Run a command of a package that is fetched for it, whatever is installed here
      init             Write a package.json, or set a project up with a package [alias: create]
      shims            Let dx answer to npm, npx, pnpm, pnpx and yarn
      test             Run the project's script "test" [alias: t]
      start            Run the project's script "start"
      stop             Run the project's script "stop"
      restart          Run the project's script "restart", or "stop" and "start"
      install-test     Do what "install" does, then run the project's script "test" [alias: it]
      install-ci-test  Do what "ci" does, then run the project's script "test" [alias: cit]
      peers            List the peer conflicts of the lockfile, with reasons and changes that would help
      ls               List installed packages [alias: list]
      explain          Tell why packages are installed, or what an error code means [alias: why]
      outdated         List packages with newer versions
      view             Show what the registry knows of a package [aliases: info, show]
      search           Search the registry for packages [alias: find]
      docs             Open the documentation of packages in a browser [alias: home]
      repo             Open the repository of packages in a browser
      bugs             Open the page where bugs of packages are told in a browser [alias: issues]
      ping             Ask whether the registry answers
      config           Show and change settings [alias: c]
      get              Print values of settings
      set              Set settings
      root             Print the folder of the project's packages
      prefix           Print the folder of the project
      bin              Print the folder of the project's commands
      cache            Manage the store in npm's words
      doctor           Check the machine, the network, the store and the project's folder
      explore          Open a shell in the folder of an installed package, or run a command there
      edit             Open the folder of an installed package in an editor, and rebuild the package
                       afterwards
      completion       Print the script that completes dx's commands in a shell
      help-search      Find commands, settings and errors by words of their help
      pkg              Read and change members of package.json
      pack             Make the tarball that would be published
      publish          Publish a package to a registry
      diff             Show what differs between two packages
      dist-tag         Set, remove and list dist-tags of a package
      deprecate        Deprecate versions of a package, with a message
      undeprecate      Take the deprecation of versions of a package back
      unpublish        Take a version of a package back, or with --force the whole package
      owner            Add, remove and list owners of a package [alias: author]
      access           Show and change who may see and change packages
      team             Show and change the teams of an organisation
      org              Show and change the members of an organisation
      profile          Show and change the profile at the registry
      token            List, make and revoke tokens
      login            Log in to a registry, and keep the token in .npmrc [alias: adduser]
      logout           Log out of a registry, and take the token out of .npmrc
      whoami           Print the name of the user that is logged in
      stage            Show and decide on staged publications
      trust            Add, list and revoke pipelines that may publish a package without a token
      version          Give the package a new version, with a commit and a tag in git
      audit            Look for known vulnerabilities in what is locked
      fund             List packages that look for funding, or open the page of one
      query            Find packages by a selector, and print them as JSON
      sbom             Print a bill of materials of what is installed
      licenses         List the licences of installed packages
      store            Manage the store

    Options:
      -C, --dir <FOLDER>  Run as if dx had been started in this folder
          --json          Print one JSON object instead of text
      -s, --silent        Print only errors
          --verbose       Also print statistics: requests, bytes, links
      -h, --help          Print help
      -V, --version       Print version

    A script of package.json also runs by its name alone: `dx dev` is `dx run dev`. So does a
    command of an installed package: `dx tsc` is `dx exec tsc`.
    Settings are read from .npmrc files and npm_config_* variables; see docs/settings.md.
    --- stderr
    "#);
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
      -s, --silent                  Print only errors
          --verbose                 Also print statistics: requests, bytes, links
      -h, --help                    Print help
    --- stderr
    ");
}

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
          --no-save                 Leave package.json and the lockfile as they are
      -S, --save                    Save what changes in package.json (the default of add)
          --frozen-lockfile         Fail instead of changing the lockfile
          --no-frozen-lockfile      Change the lockfile where package.json requires it (the default)
          --registry <URL>          Install from this registry
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
      -C, --dir <FOLDER>  Run as if dx had been started in this folder
          --json          Print one JSON object instead of text
      -s, --silent        Print only errors
          --verbose       Also print statistics: requests, bytes, links
      -h, --help          Print help
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
      -C, --dir <FOLDER>  Run as if dx had been started in this folder
          --json          Print one JSON object instead of text
      -s, --silent        Print only errors
          --verbose       Also print statistics: requests, bytes, links
      -h, --help          Print help
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
      -C, --dir <FOLDER>  Run as if dx had been started in this folder
          --json          Print one JSON object instead of text
      -s, --silent        Print only errors
          --verbose       Also print statistics: requests, bytes, links
      -h, --help          Print help
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
      -C, --dir <FOLDER>  Run as if dx had been started in this folder
          --json          Print one JSON object instead of text
      -s, --silent        Print only errors
          --verbose       Also print statistics: requests, bytes, links
      -h, --help          Print help
    --- stderr
    ");
}
