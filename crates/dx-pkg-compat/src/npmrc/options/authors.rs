//! The rows of the table about what authors do: writing `package.json`, versions, tarballs and
//! publishing; see [`super::columns`].

use std::path::PathBuf;

use dx_pkg_core::Version;
use url::Url;

use super::super::{Config, ConfigError};
use super::{Flag, OptionGroup, OptionInfo, Support};
use crate::npmrc::trust::Trust;

options! {
    AUTHORS:
    "allow-scripts-pin": bool, "true", Save,
        "Whether `dx approve-scripts` approves the installed versions only."
        => getter(allow_scripts_pin = true);
    "patches-dir": String, "patches", Save,
        "The folder of the project that `dx patch commit` writes patches to."
        => getter(patches_dir = "patches".to_owned());
    "save": bool, "true", Save,
        "Whether add and remove change the manifest.",
        with_flags(&[
            Flag::fixed("no-save", "false", "Leave package.json and the lockfile as they are"),
            Flag::fixed("save", "true", "Save what changes in package.json (the default of add)")
                .short('S'),
        ])
        => getter(save = true);
    "save-exact": bool, "false", Save,
        "Save versions without a range.",
        with_flags(&[
            Flag::fixed("save-exact", "true", "Save the exact version instead of a range")
                .short('E')
                .aliases(&["exact"]),
        ])
        => getter(save_exact = false);
    "save-prefix": String, "^", Save,
        "The range operator in front of a saved version.",
        with_flags(&[Flag::argument(
            "save-prefix",
            "PREFIX",
            "Save versions with this in front: ^, ~ or nothing",
        )])
        => through(save_prefix);

    "tag-version-prefix": String, "v", Publish,
        "What stands before the version in the tag that `dx version` makes."
        => getter(tag_version_prefix = "v".to_owned());
    "git-tag-version": bool, "true", Publish,
        "Whether `dx version` makes a commit and a tag."
        => getter(git_tag_version = true);
    "commit-hooks": bool, "true", Publish,
        "Whether git runs its hooks for the commit of `dx version`."
        => getter(commit_hooks = true);
    "allow-same-version": bool, "false", Publish,
        "Whether `dx version` accepts the version that the package has."
        => getter(allow_same_version = false);
    "message": String, "%s", Publish,
        "The message of the commit and the tag of `dx version`, with `%s` for the version."
        => getter(message = "%s".to_owned());
    "preid": String, "", Publish,
        "The word before the number of a prerelease, such as `beta` in `1.0.0-beta.0`.",
        unset("none") => getter(preid = String::new());
    "sign-git-tag": bool, "false", Publish,
        "Whether the tag of `dx version` is signed."
        => getter(sign_git_tag = false);
    "sign-git-commit": bool, "false", Publish,
        "Whether the commit of `dx version` is signed."
        => getter(sign_git_commit = false);
    "workspaces-update": bool, "true", Publish,
        "Whether `node_modules` is brought up to date after `dx version` changed workspaces."
        => getter(workspaces_update = true);
    "pack-destination": PathBuf, ".", Publish,
        "The folder that `dx pack` writes tarballs into."
        => getter(pack_destination = PathBuf::from("."));
    "access": Option<String>, "", Publish,
        "Who may install a package with a scope: `public` or `restricted`.",
        unset("the registry decides") => getter(access = None);
    "otp": Option<String>, "", Publish,
        "A one-time password, for what changes something at the registry.",
        trust(Trust::User) => getter(otp = None);
    "provenance": bool, "false", Publish,
        "Whether `dx publish` has the build signed, in GitHub Actions and GitLab CI."
        => getter(provenance = false);
    "provenance-file": Option<PathBuf>, "", Publish,
        "A signed statement about the build, which `dx publish` sends with the package."
        => getter(provenance_file = None);
    "fulcio-url": Option<Url>, "", Publish,
        "The authority that certifies who signs a build. It is sent the job's identity token.",
        trust(Trust::User), unset("that of sigstore") => getter(fulcio_url = None);
    "rekor-url": Option<Url>, "", Publish,
        "The transparency log that signed builds are entered into.",
        trust(Trust::User), unset("that of sigstore") => getter(rekor_url = None);
    "auth-type": String, "web", Publish,
        "How `dx login` works: `web` in the browser, `legacy` with a password."
        => getter(auth_type = "web".to_owned());
    "diff": Vec<String>, "", Publish,
        "The specs that `dx diff` compares, at most two."
        => getter(diff = Vec::new());
    "diff-name-only": bool, "false", Publish,
        "Whether `dx diff` only lists the files that differ."
        => getter(diff_name_only = false);
    "diff-unified": u32, "3", Publish,
        "The lines of context around each change."
        => getter(diff_unified = 3);
    "diff-ignore-all-space": bool, "false", Publish,
        "Whether `dx diff` passes over changes of white space."
        => getter(diff_ignore_all_space = false);
    "diff-no-prefix": bool, "false", Publish,
        "Whether `dx diff` shows paths without `a/` and `b/`."
        => getter(diff_no_prefix = false);
    "diff-src-prefix": String, "a/", Publish,
        "What `dx diff` writes before paths of the first spec."
        => getter(diff_src_prefix = "a/".to_owned());
    "diff-dst-prefix": String, "b/", Publish,
        "What `dx diff` writes before paths of the second spec."
        => getter(diff_dst_prefix = "b/".to_owned());
    "diff-text": bool, "false", Publish,
        "Whether `dx diff` compares every file as text."
        => getter(diff_text = false);
    "init-author-name": Option<String>, "", Save,
        "The author's name in the package.json that `dx init` writes."
        => getter(init_author_name = None);
    "init-author-email": Option<String>, "", Save,
        "The author's address there."
        => getter(init_author_email = None);
    "init-author-url": Option<Url>, "", Save,
        "The author's page there."
        => getter(init_author_url = None);
    "init-license": Option<String>, "", Save,
        "The licence there."
        => getter(init_license = None);
    "init-private": Option<bool>, "", Save,
        "Whether the package is private there."
        => getter(init_private = None);
    "init-type": String, "commonjs", Save,
        "The kind of its modules there: commonjs or module."
        => getter(init_type = "commonjs".to_owned());
    "init-version": Version, "1.0.0", Save,
        "The version there."
        => getter(init_version = Version::new(1, 0, 0));
}
