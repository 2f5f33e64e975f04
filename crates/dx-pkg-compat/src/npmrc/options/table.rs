//! The rows of the table about registries, versions, `node_modules` and the output; see
//! [`super::columns`].

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::super::proxy::Proxy;
use super::super::release_age::Date;
use super::super::trust::Trust;
use super::super::value::{
    AllowSource, DependencyType, Development, DxrpMode, ForeignOverrides, ImportMethod,
    InstallStrategy, Location, LockfileVersion, LogLevel, NodeLinker, Production, VerifyMode,
};
use super::super::{Config, ConfigError};
use super::{Flag, OptionGroup, OptionInfo, Support};

options! {
    INSTALL:
    "registry": Option<Url>, "", Registry,
        "The address that packages come from.",
        unset("set when dx is built, see `DX_DEFAULT_REGISTRY`"),
        with_flags(&[
            Flag::argument("registry", "URL", "Install from this registry").aliases(&["reg"]),
        ])
        => through(registry);

    "replace-registry-host": String, "npmjs", Network,
        "The host in `resolved` addresses that the registry's replaces: npmjs, never, always or a host."
        => getter(replace_registry_host = "npmjs".to_owned());
    "strict-ssl": bool, "true", Network,
        "Whether a registry's certificate must be valid.",
        trust(Trust::Stricter(&["false", "true"])) => getter(strict_ssl = true);
    "ca": Option<Vec<String>>, "", Network,
        "Certificate authorities to trust, in PEM form.",
        unset("the system's authorities"), trust(Trust::User)
        => through(ca);
    "cafile": Option<PathBuf>, "", Network,
        "A file of certificate authorities to trust.",
        unset("the system's authorities"), trust(Trust::User)
        => getter(cafile = None);
    "proxy": Option<Proxy>, "", Network,
        "The proxy for http requests; false for none at all.",
        variables(&["HTTP_PROXY", "PROXY"]), trust(Trust::User)
        => through(proxy_for);
    "https-proxy": Option<Proxy>, "", Network,
        "The proxy for https requests.",
        variables(&["HTTPS_PROXY"]), trust(Trust::User)
        => through(proxy_for);
    "noproxy": Vec<String>, "", Network,
        "Hosts that are reached without a proxy.",
        variables(&["NO_PROXY"]), trust(Trust::User)
        => through(proxy_for);
    "local-address": Option<String>, "", Network,
        "The local address to send requests from.", trust(Trust::User)
        => getter(local_address = None);
    "fetch-retries": Option<u32>, "", Network,
        "The number of retries of a failed request.",
        unset("`2`")
        => getter(fetch_retries = None);
    "fetch-retry-factor": Option<f64>, "", Network,
        "The factor by which the delay grows from one retry to the next.",
        unset("`2`")
        => getter(fetch_retry_factor = None);
    "fetch-retry-mintimeout": Option<Duration>, "", Network,
        "The shortest delay before a retry.",
        unset("`100`")
        => getter(fetch_retry_mintimeout = None);
    "fetch-retry-maxtimeout": Option<Duration>, "", Network,
        "The longest delay before a retry.",
        unset("`60000`")
        => getter(fetch_retry_maxtimeout = None);
    "fetch-timeout": Option<Duration>, "", Network,
        "The longest time that a request may take.",
        unset("`300000`")
        => getter(fetch_timeout = None);
    "max-packages": Option<u32>, "", Resolve,
        "The most packages that one project may have.",
        unset("`20000`"), trust(Trust::User)
        => getter(max_packages = None);
    "max-package-size": Option<u32>, "", Network,
        "The most megabytes that one package may unpack to.",
        unset("`1000`"), trust(Trust::User)
        => through(max_package_bytes);
    "maxsockets": Option<u32>, "", Network,
        "The number of connections to one host.",
        unset("as `network-concurrency`")
        => getter(maxsockets = None);
    "network-concurrency": Option<u32>, "", Network,
        "The number of simultaneous requests.",
        unset("`96`")
        => getter(network_concurrency = None);
    "speculative-fetch": bool, "true", Network,
        "Whether dx requests metadata that it will probably need before it knows so."
        => getter(speculative_fetch = true);
    "dxrp": DxrpMode, "auto", Network,
        "Whether packages come by DXRP, dx's own protocol, from a registry that speaks it.",
        with_flags(&[Flag::argument(
            "dxrp",
            "WHEN",
            "Use dx's own protocol: auto (where a registry speaks it), off, or required",
        )]),
        trust(Trust::User) => getter(dxrp = DxrpMode::Auto);
    "offline": bool, "false", Network,
        "Use only what is on this machine.",
        with_flags(&[Flag::fixed("offline", "true", "Do not use the network")])
        => getter(offline = false);
    "prefer-offline": bool, "false", Network,
        "Use what is on this machine without asking whether it is current.",
        with_flags(&[Flag::fixed(
            "prefer-offline",
            "true",
            "Use cached metadata without checking whether it is current",
        )])
        => getter(prefer_offline = false);
    "prefer-online": bool, "false", Network,
        "Ask whether what is on this machine is current even while it is fresh.",
        with_flags(&[Flag::fixed(
            "prefer-online",
            "true",
            "Check whether cached metadata is current even while it is fresh",
        )])
        => getter(prefer_online = false);
    "cache": Option<PathBuf>, "", Network,
        "npm's cache folder."
        => ignored("dx has a store of its own, see `DX_STORE`");

    "tag": String, "latest", Resolve,
        "The dist-tag that stands for a missing version.",
        with_flags(&[Flag::argument(
            "tag",
            "TAG",
            "Install the version with this dist-tag where no version is named",
        )])
        => getter(tag = "latest".to_owned());
    "before": Option<Date>, "", Resolve,
        "Choose only versions published before this date.",
        with_flags(&[Flag::argument("before", "DATE", "Choose only versions published before this date")]),
        trust(Trust::Age) => through(release_cutoffs);
    "min-release-age": Option<f64>, "", Resolve,
        "Choose only versions published at least this many days ago.",
        unset("`1`"),
        with_flags(&[Flag::argument(
            "min-release-age",
            "DAYS",
            "Choose only versions published at least this many days ago",
        )]), trust(Trust::Age)
        => through(release_cutoffs);
    "minimum-release-age": Option<f64>, "", Resolve,
        "Choose only versions published at least this many minutes ago; pnpm's setting.",
        trust(Trust::Age) => through(release_cutoffs);
    "min-release-age-exclude": Vec<String>, "", Resolve,
        "Packages that `min-release-age` does not apply to.", trust(Trust::Age)
        => through(release_age_exclude);
    "minimum-release-age-exclude": Vec<String>, "", Resolve,
        "The same; pnpm's setting.", trust(Trust::Age)
        => through(release_age_exclude);
    "min-release-age-ignore-missing-time": bool, "false", Resolve,
        "Whether a version counts as old enough where the registry does not tell when it was published.",
        trust(Trust::Stricter(&["true", "false"]))
        => getter(min_release_age_ignore_missing_time = false);
    "min-release-age-registries": Vec<String>, "", Resolve,
        "Registries, besides the built-in one, whose versions must be a day old where no age is set.",
        trust(Trust::Adds) => through(usual_age_applies);
    "dlx-cache-max-age": u32, "1440", Resolve,
        "How many minutes `dx exec` and `dx dlx` run what they fetched for a name, a range or a tag before they look for a newer version."
        => getter(dlx_cache_max_age = 1440);
    "strict-peer-deps": bool, "false", Resolve,
        "Whether any peer conflict is an error.",
        with_flags(&[Flag::fixed("strict-peer-deps", "true", "Fail on a peer conflict")])
        => getter(strict_peer_deps = false);
    "solve": bool, "true", Resolve,
        "Whether peer conflicts are solved by other versions within the project's own ranges, where npm would stop.",
        with_flags(&[Flag::fixed("no-solve", "false", "Do not solve peer conflicts")])
        => getter(solve = true);
    "legacy-peer-deps": bool, "false", Resolve,
        "Ignore peer dependencies.",
        with_flags(&[Flag::fixed("legacy-peer-deps", "true", "Ignore peer dependencies")])
        => getter(legacy_peer_deps = false);
    "force": bool, "false", Resolve,
        "Look at everything that should be installed, and go on where a rule would stop.",
        with_flags(&[Flag::fixed(
            "force",
            "true",
            "Look at every installed file and restore what is missing; allow other platforms and versions of Node.js",
        )
        .short('f')])
        => getter(force = false);
    "engine-strict": bool, "false", Resolve,
        "Whether a package for another Node.js version is an error."
        => getter(engine_strict = false);
    "node-version": Option<String>, "", Resolve,
        "The Node.js version to choose packages for.",
        unset("of the Node.js on the `PATH`")
        => getter(node_version = None);
    "os": Option<String>, "", Resolve,
        "The operating system to choose packages for, as Node.js names it.",
        unset("this machine's"),
        with_flags(&[Flag::argument("os", "OS", "Choose packages for this operating system")])
        => getter(os = None);
    "cpu": Option<String>, "", Resolve,
        "The processor to choose packages for, as Node.js names it.",
        unset("this machine's"),
        with_flags(&[Flag::argument("cpu", "CPU", "Choose packages for this processor")])
        => getter(cpu = None);
    "libc": Option<String>, "", Resolve,
        "The C library to choose packages for: glibc or musl.",
        unset("this machine's"),
        with_flags(&[Flag::argument("libc", "LIBC", "Choose packages for this C library: glibc or musl")])
        => getter(libc = None);
    "allow-git": AllowSource, "none", Resolve,
        "The packages that may depend on git repositories.",
        trust(Trust::Stricter(&["all", "root", "none"]))
        => getter(allow_git = AllowSource::None);
    "allow-remote": AllowSource, "none", Resolve,
        "The packages whose tarballs may come from another address than their registry's.",
        trust(Trust::Stricter(&["all", "root", "none"]))
        => getter(allow_remote = AllowSource::None);
    "allow-file": AllowSource, "all", Resolve,
        "The packages that may come from a tarball on this machine.",
        trust(Trust::Stricter(&["all", "root", "none"])) => getter(allow_file = AllowSource::All);
    "allow-directory": AllowSource, "all", Resolve,
        "The packages that may depend on local folders.",
        trust(Trust::Stricter(&["all", "root", "none"]))
        => getter(allow_directory = AllowSource::All);
    "allow-missing-integrity": bool, "false", Resolve,
        "Whether packages are installed of which neither lockfile nor registry has a digest.",
        trust(Trust::Stricter(&["true", "false"]))
        => getter(allow_missing_integrity = false);
    "package-lock": bool, "true", Resolve,
        "Whether a lockfile is read and written.",
        with_flags(&[Flag::fixed("no-package-lock", "false", "Neither read nor write a lockfile")
            .aliases(&["no-lockfile"])])
        => getter(package_lock = true);
    "package-lock-only": bool, "false", Resolve,
        "Write the lockfile and leave `node_modules` alone.",
        with_flags(&[Flag::fixed(
            "lockfile-only",
            "true",
            "Write the lockfile and leave node_modules alone",
        )
        .aliases(&["package-lock-only"])])
        => getter(package_lock_only = false);
    "lockfile-version": Option<LockfileVersion>, "", Resolve,
        "The version of `package-lock.json` to write.",
        unset("that of the lockfile, but 3 for one of version 1"),
        with_flags(&[Flag::argument("lockfile-version", "N", "Write the lockfile in this version: 1, 2 or 3")])
        => getter(lockfile_version = None);
    "allow-unused-patches": bool, "false", Resolve,
        "Install although a patch in `patchedDependencies` is for no installed package.",
        trust(Trust::User),
        with_flags(&[Flag::fixed("allow-unused-patches", "true", "Allow patches for no package")])
        => getter(allow_unused_patches = false);
    "ignore-patch-failures": bool, "false", Resolve,
        "Install a package without its patch where that does not fit, with a warning.",
        trust(Trust::User),
        with_flags(&[Flag::fixed("ignore-patch-failures", "true", "Install packages without patches that do not fit")])
        => getter(ignore_patch_failures = false);
    "format-package-lock": bool, "true", Resolve,
        "Whether the lockfile is written with line breaks and indentation."
        => only("true");
    "omit-lockfile-registry-resolved": bool, "false", Resolve,
        "Leave registry addresses out of the lockfile."
        => getter(omit_lockfile_registry_resolved = false);
    "prefer-dedupe": bool, "false", Resolve,
        "Prefer versions that are in the tree already to newer ones."
        => getter(prefer_dedupe = false);
    "extension-file": Option<PathBuf>, "", Resolve,
        "A file with changes to the manifests of dependencies."
        => only();
    "foreign-overrides": ForeignOverrides, "error", Resolve,
        "What happens where pins or hooks of pnpm, Yarn or Bun cannot be carried out."
        => getter(foreign_overrides = ForeignOverrides::Error);
    "workspaces": Option<bool>, "", Resolve,
        "Whether a command is for the project's workspaces: `true` for all of them without the \
         project itself, `false` for the project alone.",
        unset("for the project with its workspaces"),
        with_flags(&[
            Flag::fixed("workspaces", "true", "Do it for all workspaces, not for the project")
                .aliases(&["ws"]),
            Flag::fixed("no-workspaces", "false", "Leave the workspaces alone"),
        ])
        => getter(workspaces = None);
    "workspace": Vec<String>, "", Resolve,
        "The workspaces that a command is for: names, their folders, or folders around them.",
        unset("none; in the folder of a workspace, that one"),
        with_flags(&[
            Flag::argument(
                "workspace",
                "WORKSPACE",
                "Do it for this workspace, by name or folder; may be repeated",
            )
            .short('w'),
        ])
        => getter(workspace = Vec::new());
    "include-workspace-root": bool, "false", Resolve,
        "Whether a command for workspaces is for the project itself too.",
        with_flags(&[
            Flag::fixed(
                "include-workspace-root",
                "true",
                "With --workspace or --workspaces: do it for the project too",
            )
            .aliases(&["iwr"]),
        ])
        => getter(include_workspace_root = false);

    "omit": Option<Vec<DependencyType>>, "", Tree,
        "Dependency types that are not installed.",
        unset("none; `dev` where `NODE_ENV` is `production`"),
        variables(&["NODE_ENV"]),
        with_flags(&[
            Flag::argument(
                "omit",
                "KIND",
                "Do not install this kind of dependency; may be repeated",
            )
            .words(&["dev", "optional", "peer"]),
            Flag::fixed("prod", "dev", "The same as --omit=dev")
                .aliases(&["production"]),
        ])
        => through(omit);
    "include": Vec<DependencyType>, "", Tree,
        "Dependency types that are installed even if omitted.",
        with_flags(&[Flag::argument(
            "include",
            "KIND",
            "Install this kind of dependency although it is omitted; may be repeated",
        )
        .words(&["prod", "dev", "optional", "peer"])])
        => through(omit);
    "only": Option<Production>, "", Tree,
        "An old way to omit dev."
        => through(omit);
    "also": Option<Development>, "", Tree,
        "An old way to include dev."
        => through(omit);
    "production": Option<bool>, "", Tree,
        "An old way to omit dev."
        => through(omit);
    "dev": bool, "false", Tree,
        "An old way to include dev."
        => through(omit);
    "optional": Option<bool>, "", Tree,
        "An old way to omit or include optional."
        => through(omit);
    "trusted-projects": Option<Vec<PathBuf>>, "", Tree,
        "Folders of projects whose `.npmrc` counts like your own; those in them, too.",
        trust(Trust::User) => through(is_given_by_user);
    "ignore-scripts": bool, "false", Tree,
        "Run no scripts at all.",
        with_flags(&[Flag::fixed("ignore-scripts", "true", "Run no scripts, not even the project's")]),
        trust(Trust::Stricter(&["false", "true"])) => getter(ignore_scripts = false);
    "allow-scripts": Vec<String>, "", Tree,
        "Packages whose scripts may run."
        => through(allow_scripts);
    "strict-allow-scripts": bool, "false", Tree,
        "Whether scripts that are neither allowed nor denied are an error.",
        trust(Trust::Stricter(&["false", "true"])) => getter(strict_allow_scripts = false);
    "dangerously-allow-all-scripts": bool, "false", Tree,
        "Run every package's scripts.", trust(Trust::Stricter(&["true", "false"]))
        => getter(dangerously_allow_all_scripts = false);
    "foreground-scripts": bool, "false", Tree,
        "Let dependencies' scripts write to the terminal. Otherwise the output of one that fails is shown."
        => getter(foreground_scripts = false);
    "always-run-scripts": bool, "false", Tree,
        "Run the project's own install scripts, such as `prepare`, with every install, as npm does, also where nothing has changed."
        => getter(always_run_scripts = false);
    "script-shell": Option<String>, "", Tree,
        "The shell that scripts run in.",
        unset("`sh`; `cmd` on Windows"), trust(Trust::User)
        => getter(script_shell = None);
    "node-options": Option<String>, "", Tree,
        "Options for the Node.js that scripts start; scripts see them as `NODE_OPTIONS`.",
        trust(Trust::User) => getter(node_options = None);
    "editor": Option<String>, "", Tree,
        "The editor that scripts see as `EDITOR`.",
        unset("as the variables `EDITOR` and `VISUAL` say"), trust(Trust::User)
        => getter(editor = None);
    "node-gyp": Option<PathBuf>, "", Tree,
        "The `node-gyp` that scripts see as `npm_config_node_gyp`.",
        unset("npm's own"), trust(Trust::User)
        => ignored("dx passes it on to scripts");
    "user-agent": Option<String>, "", Tree,
        "The user agent that scripts see, in npm's form with `{node-version}`, `{platform}` and so on.",
        unset("`dx/… npm/? node/…`")
        => getter(user_agent = None);
    "install-links": bool, "false", Tree,
        "Whether local folders outside the project are copied, as npm would pack them, instead of linked."
        => getter(install_links = false);
    "bin-links": bool, "true", Tree,
        "Whether commands are linked into `node_modules/.bin`.",
        with_flags(&[Flag::fixed("no-bin-links", "false", "Link no commands into node_modules/.bin")])
        => getter(bin_links = true);
    "package-import-method": ImportMethod, "auto", Tree,
        "The way in which files get from the store into a project."
        => getter(package_import_method = ImportMethod::Auto);
    "prepared-trees": Option<u32>, "", Tree,
        "The number of `node_modules` trees that are kept ready for each project.",
        unset("`1`, or `0` where `CI` is set"),
        variables(&["DX_PREPARED_TREES", "CI"]), trust(Trust::Stricter(&["1", "0"]))
        => getter(prepared_trees = None);
    "background": Option<bool>, "", Tree,
        "Whether an install may leave a process running that stores, prepares and cleans up.",
        unset("`true`, or `false` on battery"),
        variables(&["DX_BACKGROUND"]),
        with_flags(&[Flag::fixed("no-background", "false", "Leave no process running")]),
        trust(Trust::Stricter(&["true", "false"])) => getter(background = None);
    "verify": VerifyMode, "ci", Tree,
        "When the files of a prepared tree are checked for changes made in another project.",
        trust(Trust::Stricter(&["after", "ci", "always"])) => getter(verify = VerifyMode::Ci);
    "global-style": bool, "false", Tree,
        "An old way to ask for `install-strategy=shallow`."
        => through(install_strategy);
    "legacy-bundling": bool, "false", Tree,
        "An old way to ask for `install-strategy=nested`."
        => through(install_strategy);
    "install-strategy": InstallStrategy, "hoisted", Tree,
        "The layout of `node_modules`: everything as far up as there is no conflict, nothing above the direct dependencies (shallow), or all in the package that requires it (nested).",
        with_flags(&[Flag::argument(
            "install-strategy",
            "HOW",
            "Place packages as far up as there is no conflict, or less far",
        )])
        => only("hoisted", "nested", "shallow");
    "node-linker": NodeLinker, "hoisted", Tree,
        "The layout of `node_modules`, in pnpm's words."
        => only("hoisted");
    "enable-pnp": bool, "false", Tree,
        "Install without `node_modules`, as Plug'n'Play does."
        => only("false");
    "symlink": bool, "true", Tree,
        "Whether packages may be linked into `node_modules`."
        => only("true");
    "global": bool, "false", Tree,
        "Whether a command is for the packages of `prefix`, whose commands work in every folder, \
         instead of a project.",
        with_flags(&[
            Flag::fixed("global", "true", "Do it for globally installed packages").short('g'),
        ]),
        trust(Trust::User)
        => getter(global = false);
    "location": Location, "user", Tree,
        "The place that npm's commands for settings work on; `global` also means the setting \
         `global`.",
        trust(Trust::Stricter(&["global", "user", "project"]))
        => getter(location = Location::User);
    "prefix": Option<PathBuf>, "", Tree,
        "The folder of globally installed packages: these are in `lib/node_modules`, their \
         commands in `bin`.",
        unset("`dx/global` in the user's data folder"), trust(Trust::User)
        => getter(prefix = None);
    "dry-run": bool, "false", Tree,
        "Report what would change without changing it.",
        with_flags(&[Flag::fixed("dry-run", "true", "Print what would change, and change nothing")])
        => getter(dry_run = false);

    "loglevel": LogLevel, "notice", Output,
        "The amount of output."
        => ignored("use `--silent` or `--verbose`");
    "audit": bool, "true", Output,
        "Whether vulnerabilities are looked up after an install.",
        with_flags(&[Flag::ignored("no-audit", "dx makes no audit")])
        => ignored("dx makes no audit");
    "fund": bool, "true", Output,
        "Whether packages that look for funding are counted.",
        with_flags(&[Flag::ignored("no-fund", "dx does not ask for funding")])
        => ignored("dx does not ask for funding");
    "progress": Option<bool>, "", Output,
        "Whether progress is shown.",
        unset("on a terminal"),
        variables(&["CI"])
        => ignored("progress is shown on a terminal, unless `CI` is set");
}
