//! What docs/settings.md says of settings beyond the table: further sentences, and the settings of
//! one scope or one registry, which have no row there.

/// The settings of one scope or one registry: key, allowed values, default and meaning, in
/// Markdown.
pub const OF_ONE_REGISTRY: &[[&str; 4]] = &[
    [
        "@scope:registry",
        "an address that starts with http:// or https://",
        "as `registry`",
        "The address that packages of the scope come from.",
    ],
    ["//host/path/:_authToken", "a text", "–", "The token for everything below `//host/path/`."],
    [
        "//host/path/:_auth",
        "base64 of `user:password`",
        "–",
        "The user and password, where there is no token.",
    ],
    [
        "//host/path/:username",
        "a text",
        "–",
        "The user, where there is neither; `_password` beside it holds the password in base64.",
    ],
    [
        "//host/path/:certfile",
        "a path",
        "–",
        "The client certificate in PEM form, shown to an `https:` server that requests one; \
         `keyfile` beside it names its key, not encrypted.",
    ],
];

/// Further sentences about settings, in Markdown, by key in the order of the table.
pub const DETAILS: &[(&str, &str)] = &[
    (
        "cafile",
        "In PEM form, or one in DER form. What cannot be read in it is left out, as long as one \
         authority can.",
    ),
    ("proxy", "`HTTP_PROXY` or `PROXY` where neither `proxy` nor `https-proxy` is set."),
    (
        "https-proxy",
        "`HTTPS_PROXY` where neither is set. Each of the two settings stands in for the other.",
    ),
    ("noproxy", "`NO_PROXY` where it is not set."),
    ("fetch-timeout", "`0` sets no limit."),
    (
        "max-packages",
        "Counts the versions that are loaded from a registry. A chain of packages that require one \
         another in turn may have a hundredth of that, and 200 in any case. See \
         [limits](security/limits.md).",
    ),
    (
        "max-package-size",
        "It raises the limits on files and on compression, too. `0` sets no limit. See \
         [limits](security/limits.md).",
    ),
    ("maxsockets", "It counts for metadata and for tarballs separately. `0` sets no limit."),
    (
        "network-concurrency",
        "It counts for metadata and for tarballs separately, so that neither waits for the other. \
         Lower it (to 20, say) for a server that answers 429. `0` is the default.",
    ),
    (
        "speculative-fetch",
        "It changes when an install sends its requests, never its result. `offline` and \
         `prefer-offline` turn it off.",
    ),
    (
        "dxrp",
        "`auto` asks every registry but the built-in one once, remembers the answer for some days, \
         and fetches over HTTP whatever does not come that way; what is installed is the same. \
         `required` fails instead. See [the design](design/0020-dxrp.md).",
    ),
    ("before", "Wins over `min-release-age` in the same file."),
    (
        "min-release-age",
        "`0` allows every version. A lockfile is obeyed however young its versions are. Without \
         this setting the day has [exemptions](#the-age-of-versions).",
    ),
    ("min-release-age-exclude", "Names, or `@scope/*`."),
    (
        "min-release-age-ignore-missing-time",
        "Otherwise it is too young wherever an age is demanded, unless nothing of the package has \
         changed for so long.",
    ),
    ("strict-peer-deps", "Otherwise a conflict is a warning."),
    ("solve", "Not with `force` or `legacy-peer-deps`."),
    (
        "force",
        "Every install compares all packages, commands and files with the lockfile and restores \
         what is missing; packages for other platforms and versions of Node.js are allowed, with a \
         warning; so are peer conflicts under `strict-peer-deps`, unmet `devEngines`, and pins of \
         other package managers. The same as `--force`.",
    ),
    (
        "allow-remote",
        "That includes packages that are required by their address (`https://…/x.tgz`), wherever it \
         leads. `root`: those that the project or a workspace requires itself. A registry's own \
         tarballs have its scheme, host and port, and lie below its path, after \
         `replace-registry-host`; name the other host there if your registry offers its tarballs \
         from it.",
    ),
    (
        "allow-directory",
        "A folder that the lockfile links to stays; one that would be copied again does not.",
    ),
    ("allow-missing-integrity", "`dx install` then records the digest of what came."),
    ("lockfile-version", "Lockfiles of versions 1 and 2 are read."),
    ("ignore-patch-failures", "The lockfile then has no patch for it, so that `dx ci` stops."),
    (
        "foreign-overrides",
        "`warn` goes on without these, with a warning; `ignore` goes on without all pins of [other \
         managers](other-managers.md#pins). `--force` is like `warn`.",
    ),
    ("omit", "A list. The lockfile has these packages all the same."),
    ("include", "A list."),
    ("trusted-projects", "[What others may not set](#what-a-projects-npmrc-may-not-set)."),
    ("allow-scripts", "Like naming them in `allowScripts` of `package.json`, where a denial wins."),
    ("dangerously-allow-all-scripts", "Denials do not count then."),
    ("foreground-scripts", "With `--json` and `--silent` it is captured in any case."),
    ("always-run-scripts", "See below."),
    ("node-options", "They replace those of an inherited variable."),
    (
        "user-agent",
        "A guard such as `only-allow npm` lets nothing but npm pass; with \
         `user-agent=npm/{npm-version} node/{node-version} {platform} {arch}` in the project's \
         `.npmrc` it takes dx for npm.",
    ),
    (
        "install-links",
        "A folder of the project is linked if its path is written with a dot (`file:./lib`); \
         workspaces always are.",
    ),
    ("package-import-method", "See below."),
    (
        "prepared-trees",
        "With one, the next install is a single rename. The variable `DX_PREPARED_TREES` wins. See \
         below.",
    ),
    ("background", "The variable `DX_BACKGROUND` wins. See below."),
    ("verify", "See below."),
    ("save", "`false`: `dx install` leaves the lockfile as it is too."),
];
