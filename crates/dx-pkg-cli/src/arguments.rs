//! The command line: what can be written, and what it means as settings.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A fast, safe package manager for npm projects.
#[derive(Parser, Debug)]
#[command(name = "dx", version, about, disable_help_subcommand = true)]
#[command(
    after_help = "Settings are read from .npmrc files and npm_config_* variables; see docs/settings.md."
)]
pub struct Arguments {
    /// Run as if dx had been started in this folder.
    #[arg(short = 'C', long = "dir", alias = "prefix", value_name = "FOLDER", global = true)]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArguments,
    #[command(subcommand)]
    pub command: Command,
}

/// How much is shown, and in which form.
#[derive(Args, Debug, Clone, Default)]
pub struct OutputArguments {
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but errors.
    #[arg(long, short = 's', global = true)]
    pub silent: bool,
    /// Print what was counted: requests, bytes, links.
    #[arg(long, global = true)]
    pub verbose: bool,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Install the project's dependencies, or add packages to it.
    #[command(visible_aliases = ["i", "add"], aliases = ["in", "ins", "inst"])]
    Install(InstallArguments),
    /// Install exactly what the lockfile says, replacing node_modules.
    #[command(aliases = ["clean-install", "ic"])]
    Ci(TreeArguments),
    /// Remove packages from the project.
    #[command(visible_aliases = ["rm", "uninstall", "un"])]
    Remove(RemoveArguments),
    /// Run a script of the project, or list them.
    #[command(visible_alias = "run-script", aliases = ["rum", "urn"])]
    Run(RunArguments),
    /// Run the project's script "test".
    #[command(visible_alias = "t", alias = "tst")]
    Test(ScriptArguments),
    /// Run the project's script "start", or server.js.
    Start(ScriptArguments),
    /// Run the project's script "stop".
    Stop(ScriptArguments),
    /// Run the project's script "restart", or "stop" and "start".
    Restart(ScriptArguments),
    /// Look after the store.
    Store(StoreArguments),
}

#[derive(Args, Debug)]
pub struct InstallArguments {
    /// Packages to add: name, name@version, name@tag, name@npm:other, or a folder.
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Save as a development dependency.
    #[arg(short = 'D', long = "save-dev")]
    pub dev: bool,
    /// Save as an optional dependency.
    #[arg(short = 'O', long = "save-optional")]
    pub optional: bool,
    /// Save as a peer dependency.
    #[arg(long = "save-peer")]
    pub peer: bool,
    /// Save as a dependency even if it is another kind now.
    #[arg(short = 'P', long = "save-prod")]
    pub prod: bool,
    /// Accepted for npm's sake: what is added is saved unless --no-save is given.
    #[arg(short = 'S', long = "save", hide = true)]
    pub save: bool,
    /// Save the exact version instead of a range.
    #[arg(short = 'E', long = "save-exact")]
    pub exact: bool,
    /// Leave package.json and the lockfile as they are.
    #[arg(long = "no-save")]
    pub no_save: bool,
    #[command(flatten)]
    pub tree: TreeArguments,
}

#[derive(Args, Debug)]
pub struct RemoveArguments {
    /// Names of the packages.
    #[arg(value_name = "PACKAGE", required = true)]
    pub packages: Vec<String>,
    /// Accepted for npm's sake: a package is taken out of every section it is in.
    #[arg(short = 'D', long = "save-dev", hide = true)]
    pub dev: bool,
    /// Accepted for npm's sake, as the other sections.
    #[arg(short = 'O', long = "save-optional", hide = true)]
    pub optional: bool,
    /// Accepted for npm's sake, as the other sections.
    #[arg(short = 'P', long = "save-prod", hide = true)]
    pub prod: bool,
    /// Accepted for npm's sake: what is removed is saved unless --no-save is given.
    #[arg(short = 'S', long = "save", hide = true)]
    pub save: bool,
    /// Leave package.json and the lockfile as they are.
    #[arg(long = "no-save")]
    pub no_save: bool,
    #[command(flatten)]
    pub tree: TreeArguments,
}

#[derive(Args, Debug)]
pub struct RunArguments {
    /// The script; without one, the scripts are listed.
    #[arg(value_name = "SCRIPT")]
    pub script: Option<String>,
    #[command(flatten)]
    pub rest: ScriptArguments,
}

#[derive(Args, Debug, Clone, Default)]
pub struct ScriptArguments {
    /// Passed on to the script; what begins with a dash, after --.
    #[arg(value_name = "ARGUMENT")]
    pub arguments: Vec<String>,
    /// Do nothing where there is no such script.
    #[arg(long)]
    pub if_present: bool,
    /// Leave out the scripts that run before and after.
    #[arg(long)]
    pub ignore_scripts: bool,
}

#[derive(Args, Debug)]
pub struct StoreArguments {
    #[command(subcommand)]
    pub action: StoreAction,
}

#[derive(Subcommand, Debug)]
pub enum StoreAction {
    /// Print the store's folder.
    Path,
    /// Print how much the store holds.
    Status,
    /// Take away what has not been used for long.
    Prune {
        /// What was last used more than this many days ago goes.
        #[arg(long, value_name = "DAYS", default_value_t = 30)]
        unused_for: u64,
        /// The least recently used packages go until the store takes at most this much: bytes, or with K, M or G.
        #[arg(long, value_name = "SIZE", value_parser = bytes)]
        max_size: Option<u64>,
    },
    /// Do now what otherwise happens in the background: prepare the next trees, empty the trash.
    Maintain {
        /// At the lowest priority, and not at all while another process does it.
        #[arg(long, hide = true)]
        background: bool,
    },
    /// Check every package's digests.
    Verify {
        /// Repair what is damaged, or remove it so that it is fetched again.
        #[arg(long)]
        fix: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Omit {
    Dev,
    Optional,
    Peer,
}

/// What every command that changes node_modules understands.
#[derive(Args, Debug, Clone, Default)]
pub struct TreeArguments {
    /// Fail instead of changing the lockfile.
    #[arg(long, alias = "immutable")]
    pub frozen_lockfile: bool,
    /// Leave out a kind of dependency (dev, optional, peer); may be repeated.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub omit: Vec<Omit>,
    /// Leave out development dependencies.
    #[arg(long = "prod", alias = "production")]
    pub production: bool,
    /// Only write the lockfile.
    #[arg(long, alias = "package-lock-only")]
    pub lockfile_only: bool,
    /// Do not use the network.
    #[arg(long)]
    pub offline: bool,
    /// Use what is on this machine without asking whether it is current.
    #[arg(long)]
    pub prefer_offline: bool,
    /// Run no scripts at all.
    #[arg(long)]
    pub ignore_scripts: bool,
    /// Refuse where peer dependencies contradict each other.
    #[arg(long)]
    pub strict_peer_deps: bool,
    /// Ignore peer dependencies.
    #[arg(long)]
    pub legacy_peer_deps: bool,
    /// Accepted for npm's sake: dx always goes on where npm needs --force.
    #[arg(short = 'f', long, hide = true)]
    pub force: bool,
    /// The registry to ask.
    #[arg(long, value_name = "URL")]
    pub registry: Option<String>,
    /// Only versions published at least this many days ago.
    #[arg(long, value_name = "DAYS")]
    pub min_release_age: Option<f64>,
    /// Write into this file which requests were made and when, as JSON.
    #[arg(long, value_name = "FILE")]
    pub timing: Option<PathBuf>,
    /// Accepted for npm's sake: dx makes no audit.
    #[arg(long = "no-audit", hide = true)]
    pub no_audit: bool,
    /// Accepted for npm's sake: dx does not ask for funding.
    #[arg(long = "no-fund", hide = true)]
    pub no_fund: bool,
}

/// A number of bytes: `1000`, `500M`, `2G`.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => Some(1),
        "K" | "KB" => Some(1 << 10),
        "M" | "MB" => Some(1 << 20),
        "G" | "GB" => Some(1_u64 << 30),
        _ => None,
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit))
        .ok_or_else(|| "write 500M or 2G".to_owned())
}

impl Arguments {
    /// Reads the process's arguments; what is wrong with them, or help, is printed.
    pub fn read() -> Result<Self, ExitCode> {
        Arguments::try_parse().map_err(|error| {
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }
}

impl TreeArguments {
    /// The arguments as settings of npm's names, for the strongest configuration layer.
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut settings = Vec::new();
        let mut set = |key: &str, value: &str| settings.push((key.to_owned(), value.to_owned()));
        let omitted = self.omit.iter().map(|kind| match kind {
            Omit::Dev => "dev",
            Omit::Optional => "optional",
            Omit::Peer => "peer",
        });
        for kind in omitted.chain(self.production.then_some("dev")) {
            set("omit", kind);
        }
        let switches = [
            ("offline", self.offline),
            ("prefer-offline", self.prefer_offline),
            ("ignore-scripts", self.ignore_scripts),
            ("package-lock-only", self.lockfile_only),
            ("strict-peer-deps", self.strict_peer_deps),
            ("legacy-peer-deps", self.legacy_peer_deps),
        ];
        for (key, _) in switches.iter().filter(|(_, on)| *on) {
            set(key, "true");
        }
        if let Some(registry) = &self.registry {
            set("registry", registry);
        }
        if let Some(days) = self.min_release_age {
            set("min-release-age", &days.to_string());
        }
        settings
    }
}
