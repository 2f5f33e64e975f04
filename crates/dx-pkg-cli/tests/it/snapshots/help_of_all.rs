//! The help that lists every command.

use insta::assert_snapshot;

use super::help::help;

#[test]
#[expect(clippy::too_many_lines, reason = "one help text, which lists every command")]
fn dx() {
    assert_snapshot!(help(["--help"]), @r#"
    exit: 0
    --- stdout
    The dx package manager

    Usage: dx [OPTIONS] <COMMAND>

    Install and update:
      install          Install the project's dependencies, or add packages to it
                       [also: i, add]
      ci               Install exactly what the lockfile says, replacing
                       node_modules
      remove           Remove packages from the project [also: rm, uninstall, un]
      update           Update packages to the newest versions that package.json
                       allows [also: up, upgrade]
      dedupe           Choose versions anew, so that fewer copies of packages are
                       installed [also: ddp]
      find-dupes       Show what "dedupe" would change, and change nothing
      prune            Remove packages that the project does not require
      rebuild          Run the allowed install scripts of packages again, and link
                       their commands again [also: rb]
      link             Link the folder of a package into the project, or register
                       the project's own for that [also: ln]
      unlink           Remove packages from the project, or the registration of the
                       package in this folder
      install-test     Do what "install" does, then run the project's script "test"
                       [also: it]
      install-ci-test  Do what "ci" does, then run the project's script "test"
                       [also: cit]
      import           Convert a lockfile into the package-lock.json that dx and npm
                       write
      fetch            Bring the packages of the lockfile into the store, without a
                       package.json
      deploy           Copy a workspace with its production dependencies into a
                       folder of its own

    Run:
      run              Run a script of the project, or list them [also: run-script]
      test             Run the project's script "test" [also: t]
      start            Run the project's script "start"
      stop             Run the project's script "stop"
      restart          Run the project's script "restart", or "stop" and "start"
      exec             Run a command of an installed package, or of one that is
                       fetched for it [also: x]
      dlx              Run a command of a package that is fetched for it, whatever
                       is installed here
      init             Write a package.json, or set a project up with a package
                       [also: create]

    Inspect:
      ls               List installed packages [also: list]
      explain          Tell why packages are installed, or what an error code means
                       [also: why]
      outdated         List packages with newer versions
      peers            List the peer conflicts of the lockfile, with reasons and
                       changes that would help
      query            Find packages by a selector, and print them as JSON
      licenses         List the licences of installed packages
      fund             List packages that look for funding, or open the page of one
      sbom             Print a bill of materials of what is installed
      view             Show what the registry knows of a package [also: info, show]
      search           Search the registry for packages [also: find]
      diff             Show what differs between two packages
      docs             Open the documentation of packages in a browser [also: home]
      repo             Open the repository of packages in a browser
      bugs             Open the page where bugs of packages are told in a browser
                       [also: issues]

    Security:
      audit            Look for known vulnerabilities in what is locked
      lock             Check what the lockfile vouches for
      install-scripts  Manage decisions about install scripts
      approve-scripts  Approve install scripts of packages, in allowScripts of
                       package.json
      deny-scripts     Deny install scripts of packages, in allowScripts of
                       package.json

    Change installed packages:
      patch            Change files of an installed package, and keep the change as
                       a patch
      patch-commit     Make a patch of the changes in a folder that dx patch made
      patch-remove     Remove patches, and install the packages as they are
                       published
      explore          Open a shell in the folder of an installed package, or run a
                       command there
      edit             Open the folder of an installed package in an editor, and
                       rebuild the package afterwards

    Publish:
      pkg              Read and change members of package.json
      version          Give the package a new version, with a commit and a tag in
                       git
      pack             Make the tarball that would be published
      publish          Publish a package to a registry
      dist-tag         Set, remove and list dist-tags of a package
      deprecate        Deprecate versions of a package, with a message
      undeprecate      Take the deprecation of versions of a package back
      unpublish        Take a version of a package back, or with --force the whole
                       package
      stage            Show and decide on staged publications
      trust            Add, list and revoke pipelines that may publish a package
                       without a token

    Registry accounts:
      login            Log in to a registry, and keep the token in .npmrc [also:
                       adduser]
      logout           Log out of a registry, and take the token out of .npmrc
      whoami           Print the name of the user that is logged in
      profile          Show and change the profile at the registry
      token            List, make and revoke tokens
      owner            Add, remove and list owners of a package [also: author]
      access           Show and change who may see and change packages
      team             Show and change the teams of an organisation
      org              Show and change the members of an organisation
      ping             Ask whether the registry answers

    Settings and store:
      config           Show and change settings [also: c]
      get              Print values of settings
      set              Set settings
      root             Print the folder of the project's packages
      prefix           Print the folder of the project
      bin              Print the folder of the project's commands
      cache            Manage the store in npm's words
      store            Manage the store
      doctor           Check the machine, the network, the store and the project's
                       folder
      completion       Print the script that completes dx's commands in a shell
      shims            Let dx answer to npm, npx, pnpm, pnpx and yarn
      help-search      Find commands, settings and errors by words of their help

    Options:
      -C, --dir <FOLDER>     Run as if dx had been started in this folder
          --json             Print one JSON object instead of text
          --reporter <KIND>  Show progress in this way: default, append-only or silent
      -s, --silent           Print only errors
          --verbose          Also print statistics: requests, bytes, links
      -h, --help             Print help
      -V, --version          Print version

    `dx help COMMAND` shows the flags of a command.
    A script of package.json also runs by its name alone: `dx dev` is `dx run dev`.
    So does a command of an installed package: `dx tsc` is `dx exec tsc`.
    Settings are read from .npmrc files and npm_config_* variables.
    --- stderr
    "#);
}
