//! The options that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dx_pkg_acquire::Cancel;
use dx_pkg_fetch::trace::Trace;
use dx_pkg_install::SessionOptions;

use crate::flags::{InstallSettings, SettingFlags};

/// The amount and the form of the output.
#[derive(Args, Debug, Clone, Default)]
pub struct OutputArguments {
    /// Print one JSON object instead of text.
    #[arg(long, global = true, display_order = GLOBAL)]
    pub json: bool,
    /// Print only errors.
    #[arg(long, short = 's', global = true, display_order = GLOBAL)]
    pub silent: bool,
    /// Also print statistics: requests, bytes, links.
    #[arg(long, global = true, display_order = GLOBAL)]
    pub verbose: bool,
    /// Show progress in this way: default, append-only or silent.
    #[arg(long, global = true, display_order = GLOBAL, value_name = "KIND")]
    #[arg(hide_possible_values = true)]
    pub reporter: Option<Reporter>,
}

/// The kinds of progress, as pnpm calls them: a line that changes, none of these, only errors.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reporter {
    Default,
    AppendOnly,
    Silent,
}

/// The position in `--help` of the options of every command: behind a command's own.
pub const GLOBAL: usize = 900;

/// npm's flags for sections of `package.json`, of a command that finds the sections itself.
#[derive(Args, Debug, Clone, Default)]
pub struct IdleSections {
    /// Accepted for npm compatibility: a requirement's section is the one that it is in.
    #[arg(short = 'D', long, hide = true)]
    pub save_dev: bool,
    /// Accepted for npm compatibility, as the other sections.
    #[arg(short = 'O', long, hide = true)]
    pub save_optional: bool,
    /// Accepted for npm compatibility, as the other sections.
    #[arg(short = 'P', long, hide = true)]
    pub save_prod: bool,
}

/// The options of every command that changes `node_modules`.
#[derive(Args, Debug, Clone, Default)]
pub struct TreeArguments {
    /// Fail instead of changing the lockfile.
    #[arg(long, alias = "immutable")]
    pub frozen_lockfile: bool,
    /// Change the lockfile where package.json requires it (the default).
    #[arg(long, overrides_with = "frozen_lockfile")]
    pub no_frozen_lockfile: bool,
    #[command(flatten)]
    pub flags: SettingFlags<InstallSettings>,
    /// Write the requests and their times into this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub timing: Option<PathBuf>,
}

impl TreeArguments {
    /// Returns the options of the session: settings, trace, and cancellation by signals.
    pub fn session_options(&self) -> SessionOptions {
        SessionOptions {
            flags: self.flags.settings().to_vec(),
            trace: self.timing.as_ref().map(|_| Trace::start()),
            cancel: Cancel::from_flag(dx_pkg_os::process::cancellation_flag()),
            settings_of: None,
        }
    }
}
