//! The flags that the table of settings gives a command, and the settings they set.

use std::fmt::Debug;
use std::marker::PhantomData;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use dx_pkg_acquire::Cancel;
use dx_pkg_compat::npmrc::{Flag, FlagValue, OPTIONS, OptionGroup, OptionInfo};
use dx_pkg_install::SessionOptions;

/// The settings whose flags a command has.
pub trait Selection: Clone + Debug + Default {
    /// Returns whether the flags of a setting are among them.
    fn contains(option: &OptionInfo) -> bool;

    /// Returns a flag's line in `--help`.
    fn help(flag: &Flag) -> &'static str {
        flag.help
    }

    /// Returns whether a flag is in `--help`, if it is in that of any command.
    fn is_shown(_flag: &Flag) -> bool {
        true
    }

    /// Returns the letter of a setting that is a flag by its key.
    fn letter(_key: &str) -> Option<char> {
        None
    }
}

/// Every setting that an install depends on.
#[derive(Clone, Debug, Default)]
pub struct InstallSettings;

impl Selection for InstallSettings {
    fn contains(option: &OptionInfo) -> bool {
        !matches!(option.group, OptionGroup::Save | OptionGroup::Publish)
    }
}

/// The settings that decide how added packages are written into the manifest.
#[derive(Clone, Debug, Default)]
pub struct AddSettings;

impl Selection for AddSettings {
    fn contains(option: &OptionInfo) -> bool {
        option.group == OptionGroup::Save
    }
}

/// The setting that decides whether the manifest is written after a removal.
#[derive(Clone, Debug, Default)]
pub struct RemoveSettings;

impl Selection for RemoveSettings {
    fn contains(option: &OptionInfo) -> bool {
        option.key == "save"
    }
}

/// The settings that decide which packages of a lockfile are installed.
#[derive(Clone, Debug, Default)]
pub struct ExportSettings;

impl Selection for ExportSettings {
    fn contains(option: &OptionInfo) -> bool {
        matches!(option.key, "omit" | "include" | "os" | "cpu" | "libc")
    }

    fn help(flag: &Flag) -> &'static str {
        match flag.long {
            "omit" => "Leave this kind of dependency out; may be repeated",
            "include" => "Take this kind of dependency although it is omitted; may be repeated",
            "os" => "Take packages for this operating system",
            "cpu" => "Take packages for this processor",
            "libc" => "Take packages for this C library: glibc or musl",
            _ => flag.help,
        }
    }
}

/// The settings that decide where the packages are looked up that would help against conflicts.
#[derive(Clone, Debug, Default)]
pub struct PeerSettings;

impl Selection for PeerSettings {
    fn contains(option: &OptionInfo) -> bool {
        matches!(
            option.key,
            "registry"
                | "offline"
                | "prefer-offline"
                | "prefer-online"
                | "before"
                | "min-release-age"
        )
    }
}

/// The settings of a question to a registry.
#[derive(Clone, Debug, Default)]
pub struct QuestionSettings;

impl Selection for QuestionSettings {
    fn contains(option: &OptionInfo) -> bool {
        matches!(option.key, "registry" | "tag" | "offline" | "prefer-offline" | "prefer-online")
    }

    fn help(flag: &Flag) -> &'static str {
        match flag.long {
            "registry" => "Ask this registry",
            "tag" => "Take the version with this dist-tag where none is named",
            _ => flag.help,
        }
    }
}

/// The settings that matter to a script of the project.
#[derive(Clone, Debug, Default)]
pub struct ScriptSettings;

impl Selection for ScriptSettings {
    fn contains(option: &OptionInfo) -> bool {
        matches!(option.key, "ignore-scripts" | "force")
    }

    fn help(flag: &Flag) -> &'static str {
        match flag.long {
            "force" => "Go on where devEngines would stop",
            _ => "Skip the scripts that run before and after",
        }
    }
}

/// The settings that matter to `dx version`.
#[derive(Clone, Debug, Default)]
pub struct VersionSettings;

impl Selection for VersionSettings {
    fn contains(option: &OptionInfo) -> bool {
        matches!(
            option.key,
            "tag-version-prefix"
                | "git-tag-version"
                | "commit-hooks"
                | "allow-same-version"
                | "message"
                | "preid"
                | "sign-git-tag"
                | "sign-git-commit"
                | "workspaces-update"
                | "ignore-scripts"
                | "save"
                | "force"
        )
    }

    fn help(flag: &Flag) -> &'static str {
        match flag.long {
            "force" => "Go on although files are changed and not committed",
            "save" | "no-save" => "Whether the lockfile gets new versions of workspaces (no)",
            _ => "Run no scripts",
        }
    }

    fn letter(key: &str) -> Option<char> {
        (key == "message").then_some('m')
    }
}

/// The settings that matter to `dx pack`.
#[derive(Clone, Debug, Default)]
pub struct PackSettings;

impl Selection for PackSettings {
    fn contains(option: &OptionInfo) -> bool {
        matches!(option.key, "pack-destination" | "dry-run" | "ignore-scripts" | "registry")
    }

    fn help(flag: &Flag) -> &'static str {
        match flag.long {
            "dry-run" => "Print what would be packed, and write nothing",
            "registry" => "Take packages from this registry",
            _ => "Run no scripts",
        }
    }
}

/// The settings that matter to `dx publish`.
#[derive(Clone, Debug, Default)]
pub struct PublishSettings;

impl Selection for PublishSettings {
    fn contains(option: &OptionInfo) -> bool {
        matches!(
            option.key,
            "tag"
                | "access"
                | "otp"
                | "dry-run"
                | "ignore-scripts"
                | "registry"
                | "force"
                | "provenance"
                | "provenance-file"
        )
    }

    fn help(flag: &Flag) -> &'static str {
        match flag.long {
            "tag" => "Give the version this dist-tag",
            "dry-run" => "Print what would be published, and send nothing",
            "registry" => "Publish to this registry",
            "force" => "Do not ask the registry which versions there are",
            _ => "Run no scripts",
        }
    }
}

/// The settings that decide what is fetched for a command: those of an install.
#[derive(Clone, Debug, Default)]
pub struct ExecSettings;

impl Selection for ExecSettings {
    fn contains(option: &OptionInfo) -> bool {
        // Those of workspaces say where the command runs.
        let has_own = matches!(
            option.key,
            "workspace" | "workspaces" | "include-workspace-root" | "global" | "location"
        );
        InstallSettings::contains(option) && !has_own
    }

    fn is_shown(flag: &Flag) -> bool {
        matches!(flag.long, "registry" | "offline" | "prefer-offline" | "prefer-online" | "force")
    }
}

/// The settings that matter to scripts and commands of packages that are installed.
#[derive(Clone, Debug, Default)]
pub struct RebuildSettings;

impl Selection for RebuildSettings {
    fn contains(option: &OptionInfo) -> bool {
        matches!(
            option.key,
            "ignore-scripts"
                | "bin-links"
                | "registry"
                | "offline"
                | "workspace"
                | "workspaces"
                | "include-workspace-root"
        )
    }

    fn help(flag: &Flag) -> &'static str {
        match flag.long {
            "ignore-scripts" => "Only link commands",
            "registry" => "Ask this registry whether packages are those that are allowed",
            "offline" => "Ask no registry",
            _ => flag.help,
        }
    }
}

/// The settings that matter to the commands of an account.
#[derive(Clone, Debug, Default)]
pub struct AccountSettings;

impl Selection for AccountSettings {
    fn contains(option: &OptionInfo) -> bool {
        matches!(option.key, "registry" | "otp" | "dry-run" | "force" | "tag" | "auth-type")
    }

    fn help(flag: &Flag) -> &'static str {
        match flag.long {
            "registry" => "Ask this registry",
            "tag" => "The dist-tag where none is named",
            "dry-run" => "Change nothing at the registry",
            _ => "Do it also where it takes back a whole package",
        }
    }
}

/// The settings that matter to `dx diff`.
#[derive(Clone, Debug, Default)]
pub struct DiffSettings;

impl Selection for DiffSettings {
    fn contains(option: &OptionInfo) -> bool {
        option.key.starts_with("diff") || matches!(option.key, "registry" | "tag")
    }

    fn help(flag: &Flag) -> &'static str {
        match flag.long {
            "registry" => "Take packages from this registry",
            _ => "The dist-tag that the project is compared with",
        }
    }
}

/// The settings that are given by the flags of a selection.
#[derive(Clone, Debug, Default)]
pub struct SettingFlags<S> {
    settings: Vec<(String, String)>,
    selection: PhantomData<S>,
}

/// What takes settings that were given without a flag of its selection.
pub trait TakesSettings {
    /// Takes them.
    fn take(&mut self, settings: Vec<(String, String)>);
}

impl<S> TakesSettings for SettingFlags<S> {
    fn take(&mut self, settings: Vec<(String, String)>) {
        self.settings.extend(settings);
    }
}

impl<S: Selection> SettingFlags<S> {
    /// Returns the options of a session with these settings, which signals cancel.
    pub fn session_options(&self) -> SessionOptions {
        dx_pkg_os::process::install_signal_handlers();
        SessionOptions {
            flags: self.settings.clone(),
            cancel: Cancel::from_flag(dx_pkg_os::process::cancellation_flag()),
            ..SessionOptions::default()
        }
    }

    /// Returns keys and values, for the strongest layer of settings.
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// Adds settings that were given otherwise.
    pub fn extend(&mut self, settings: Vec<(String, String)>) {
        self.settings.extend(settings);
    }

    /// Returns whether a setting is given this value.
    pub fn sets(&self, key: &str, value: &str) -> bool {
        self.settings.iter().any(|(set, to)| set == key && to == value)
    }

    /// Returns the value that a setting is given last.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.settings.iter().rfind(|(set, _)| set == key).map(|(_, value)| value.as_str())
    }

    /// Returns the selected settings that have no flag in the table: they are flags by their keys.
    fn by_key() -> impl Iterator<Item = &'static OptionInfo> {
        OPTIONS.iter().filter(|option| {
            option.group == OptionGroup::Publish && S::contains(option) && option.flags().is_empty()
        })
    }

    fn flags() -> impl Iterator<Item = (&'static OptionInfo, &'static Flag)> {
        let selected = OPTIONS.iter().filter(|option| S::contains(option));
        selected.flat_map(|option| option.flags().iter().map(move |flag| (option, flag)))
    }
}

impl<S: Selection> Args for SettingFlags<S> {
    fn augment_args(command: Command) -> Command {
        command
            .args(Self::flags().map(|(option, flag)| argument::<S>(option, flag)))
            .args(Self::by_key().map(by_key::<S>))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Selection> FromArgMatches for SettingFlags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Vec::new();
        for (option, flag) in Self::flags() {
            let mut set = |value: &str| settings.push((option.key.to_owned(), value.to_owned()));
            match flag.value {
                FlagValue::Ignored(_) => {}
                FlagValue::Fixed(value) => {
                    if matches.get_flag(flag.long) {
                        set(value);
                    }
                }
                FlagValue::Argument(_) => {
                    let values = matches.get_many::<String>(flag.long);
                    values.into_iter().flatten().for_each(|value| set(value));
                }
            }
        }
        for option in Self::by_key() {
            let mut set = |value: &str| settings.push((option.key.to_owned(), value.to_owned()));
            if !option.is_switch {
                let values = matches.get_many::<String>(option.key);
                values.into_iter().flatten().for_each(|value| set(value));
            } else if matches.get_flag(option.key) {
                set(if option.default == "true" { "false" } else { "true" });
            }
        }
        Ok(SettingFlags { settings, selection: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Returns a flag as clap takes it.
fn argument<S: Selection>(option: &OptionInfo, flag: &'static Flag) -> Arg {
    let argument = Arg::new(flag.long)
        .long(flag.long)
        .short(flag.short)
        .aliases(flag.aliases)
        .help(S::help(flag))
        .hide(flag.is_hidden() || !S::is_shown(flag));
    let FlagValue::Argument(name) = flag.value else {
        return argument.action(ArgAction::SetTrue);
    };
    // Unless the argument is one of a few words, the settings check it, as they do for .npmrc.
    let argument = argument.value_name(name);
    let argument =
        if flag.words.is_empty() { argument } else { argument.value_parser(flag.words.to_vec()) };
    if option.is_list {
        argument.action(ArgAction::Append).value_delimiter(',')
    } else {
        argument.action(ArgAction::Set)
    }
}

/// Returns a setting without a flag in the table as a flag: by its key, a switch by what changes
/// it.
fn by_key<S: Selection>(option: &'static OptionInfo) -> Arg {
    let argument = Arg::new(option.key).short(S::letter(option.key)).help(option.sentence);
    match (option.is_switch, option.default) {
        (true, "true") => argument.long(denied(option.key)).action(ArgAction::SetTrue),
        (true, _) => argument.long(option.key).action(ArgAction::SetTrue),
        _ if option.is_list => {
            argument.long(option.key).value_name("VALUE").action(ArgAction::Append)
        }
        _ => argument.long(option.key).value_name("VALUE").action(ArgAction::Set),
    }
}

/// Returns the flag that turns off a setting which is on.
fn denied(key: &'static str) -> &'static str {
    const DENIED: [&str; 3] = ["no-git-tag-version", "no-commit-hooks", "no-workspaces-update"];
    DENIED.into_iter().find(|flag| flag.strip_prefix("no-") == Some(key)).unwrap_or(key)
}
