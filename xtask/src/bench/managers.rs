//! The package managers: where they are, how each is told to do the same, and what it reads its
//! settings from.

use super::disk::write;
use super::fixtures::Fixture;
use super::peers::{self, DEFAULT};
use crate::dx::Dx;
use crate::options::Options;
use crate::workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One manager, in one configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Aube,
    Bun,
    /// Bun with its isolated linker.
    BunIsolated,
    Dx,
    /// dx over DXRP, without prepared trees.
    DxDxrp,
    /// dx over HTTP, without prepared trees.
    DxHttp,
    /// dx without prepared trees.
    DxUnprepared,
    Npm,
    Pnpm,
    /// pnpm with a virtual store that all projects share, which `node_modules` links to.
    PnpmGlobal,
    /// Yarn 4 with `node_modules`.
    Yarn,
    YarnClassic,
}

/// The names of all kinds.
pub(crate) const NAMES: [&str; 12] = [
    "aube",
    "bun",
    "bun-isolated",
    "dx",
    "dx-dxrp",
    "dx-http",
    "dx-unprepared",
    "npm",
    "pnpm",
    "pnpm-global",
    "yarn",
    "yarn-classic",
];

/// A manager as it is installed here.
#[derive(Clone, Debug)]
pub(crate) struct Manager {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) version: String,
    program: Vec<PathBuf>,
}

/// The registry that managers are pointed at.
pub(crate) struct Registry<'a> {
    pub(crate) url: &'a str,
    /// The file with the certificate of its authority.
    pub(crate) authority: Option<&'a Path>,
}

impl Kind {
    fn parse(name: &str) -> Option<Kind> {
        Some(match name {
            "aube" => Kind::Aube,
            "bun" => Kind::Bun,
            "bun-isolated" => Kind::BunIsolated,
            "dx" => Kind::Dx,
            "dx-dxrp" => Kind::DxDxrp,
            "dx-http" => Kind::DxHttp,
            "dx-unprepared" => Kind::DxUnprepared,
            "npm" => Kind::Npm,
            "pnpm" => Kind::Pnpm,
            "pnpm-global" => Kind::PnpmGlobal,
            "yarn" => Kind::Yarn,
            "yarn-classic" => Kind::YarnClassic,
            _ => return None,
        })
    }

    /// Returns whether it is dx.
    pub(crate) fn is_dx(self) -> bool {
        matches!(self, Kind::Dx | Kind::DxDxrp | Kind::DxHttp | Kind::DxUnprepared)
    }
}

/// The folder of the peers and of the Node.js that runs them.
pub(crate) struct Peers {
    folder: PathBuf,
}

impl Peers {
    /// The folder of `--peers`, else where `cargo xtask bench peers` installs.
    pub(crate) fn new(options: &Options) -> Result<Peers, String> {
        Ok(Peers {
            folder: options
                .path("peers")?
                .unwrap_or_else(|| workspace::target().join("bench/peers")),
        })
    }

    /// The Node.js that was installed with them, else the one in `PATH`.
    pub(crate) fn node(&self) -> PathBuf {
        let own = self.folder.join("node_modules").join(peers::node_package()).join("bin/node");
        if own.exists() { own } else { PathBuf::from("node") }
    }

    fn program(&self, kind: Kind) -> Option<Vec<PathBuf>> {
        let modules = self.folder.join("node_modules");
        let native = |name: &str| Some(vec![modules.join(".bin").join(name)]);
        let script = |path: &str| Some(vec![self.node(), modules.join(path)]);
        let found = match kind {
            Kind::Aube => Some(vec![peers::aube(&self.folder)]),
            Kind::Bun | Kind::BunIsolated => native("bun"),
            Kind::Pnpm | Kind::PnpmGlobal => native("pnpm"),
            Kind::Npm => script("npm/bin/npm-cli.js"),
            Kind::Yarn => script("yarn-berry/bin/yarn.js"),
            Kind::YarnClassic => script("yarn-classic/bin/yarn.js"),
            Kind::Dx | Kind::DxDxrp | Kind::DxHttp | Kind::DxUnprepared => None,
        };
        found.filter(|words| words.last().is_some_and(|program| program.exists()))
    }
}

/// The managers of `--managers` that are installed, and the names of those that are not.
pub(crate) fn installed(
    options: &Options,
    peers: &Peers,
) -> Result<(Vec<Manager>, Vec<String>), String> {
    let (mut managers, mut missing) = (Vec::new(), Vec::new());
    for name in options.list("managers", DEFAULT) {
        let kind =
            Kind::parse(name).ok_or_else(|| format!("no manager {name}: {}", NAMES.join(", ")))?;
        let program = if kind.is_dx() {
            Some(vec![Dx::new(options)?.path().to_owned()])
        } else {
            peers.program(kind)
        };
        match program {
            None => missing.push(name.to_owned()),
            Some(program) => {
                let version = version(&program)?;
                managers.push(Manager { kind, name: name.to_owned(), version, program });
            }
        }
    }
    Ok((managers, missing))
}

/// dx alone, without trees prepared in the background.
pub(crate) fn dx(options: &Options) -> Result<Manager, String> {
    let program = vec![Dx::new(options)?.path().to_owned()];
    Ok(Manager {
        kind: Kind::DxUnprepared,
        name: "dx".to_owned(),
        version: version(&program)?,
        program,
    })
}

/// The version that a program says it is, without its name.
pub(crate) fn version(program: &[PathBuf]) -> Result<String, String> {
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).arg("--version").current_dir(std::env::temp_dir());
    let output = crate::dx::run(command)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default();
    let mut words = line.split_whitespace().map(|word| word.trim_start_matches('v'));
    Ok(words
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or(line)
        .to_owned())
}

impl Manager {
    /// The lockfile it keeps.
    pub(crate) fn lockfile(&self) -> &'static str {
        match self.kind {
            Kind::Aube => "aube-lock.yaml",
            Kind::Bun | Kind::BunIsolated => "bun.lock",
            Kind::Dx | Kind::DxDxrp | Kind::DxHttp | Kind::DxUnprepared | Kind::Npm => {
                "package-lock.json"
            }
            Kind::Pnpm | Kind::PnpmGlobal => "pnpm-lock.yaml",
            Kind::Yarn | Kind::YarnClassic => "yarn.lock",
        }
    }

    /// Installs what the manifest asks for, and may write the lockfile.
    ///
    /// npm is told to go on past conflicting peer dependencies, as the others do by themselves:
    /// `large` has some.
    pub(crate) fn install(&self) -> Vec<String> {
        match self.kind {
            Kind::Pnpm | Kind::PnpmGlobal | Kind::Aube => {
                self.words("install --ignore-scripts --no-frozen-lockfile")
            }
            Kind::Npm => self.words("install --ignore-scripts --no-audit --no-fund --force"),
            Kind::Yarn => self.words("install --no-immutable"),
            Kind::YarnClassic => self.words("install --ignore-scripts --non-interactive"),
            Kind::BunIsolated => self.words("install --ignore-scripts --linker=isolated"),
            _ => self.words("install --ignore-scripts"),
        }
    }

    /// Installs what the lockfile says.
    pub(crate) fn frozen(&self) -> Vec<String> {
        match self.kind {
            Kind::Npm => self.words("ci --ignore-scripts --no-audit --no-fund --force"),
            Kind::Yarn => self.words("install --immutable"),
            Kind::YarnClassic => {
                self.words("install --ignore-scripts --non-interactive --frozen-lockfile")
            }
            Kind::BunIsolated => {
                self.words("install --ignore-scripts --linker=isolated --frozen-lockfile")
            }
            _ => self.words("install --ignore-scripts --frozen-lockfile"),
        }
    }

    /// Writes the lockfile and installs nothing.
    pub(crate) fn resolve(&self) -> Vec<String> {
        let flag = if self.kind == Kind::Npm { "--package-lock-only" } else { "--lockfile-only" };
        let mut words = self.install();
        words.push(flag.to_owned());
        words
    }

    /// The program itself, where no other runs it.
    pub(crate) fn executable(&self) -> Option<PathBuf> {
        (self.program.len() == 1).then(|| self.program[0].clone())
    }

    /// Adds a package, or changes the version of one.
    pub(crate) fn add(&self, fixture: &Fixture, package: &str) -> Vec<String> {
        let mut words = match self.kind {
            Kind::Npm => self.words("install --ignore-scripts --no-audit --no-fund --force"),
            Kind::Yarn => self.words("add"),
            Kind::YarnClassic => self.words("add --ignore-scripts --non-interactive"),
            Kind::BunIsolated => self.words("add --ignore-scripts --linker=isolated"),
            _ => self.words("add --ignore-scripts"),
        };
        words.extend(self.at_root(fixture));
        words.push(package.to_owned());
        words
    }

    /// Takes a package away.
    pub(crate) fn remove(&self, fixture: &Fixture, package: &str) -> Vec<String> {
        let mut words = match self.kind {
            Kind::Npm => self.words("uninstall --ignore-scripts --no-audit --no-fund --force"),
            Kind::YarnClassic => self.words("remove --ignore-scripts --non-interactive"),
            Kind::Yarn => self.words("remove"),
            // It takes no --ignore-scripts here; `.npmrc` says the same.
            Kind::Pnpm | Kind::PnpmGlobal | Kind::Aube => self.words("remove"),
            Kind::BunIsolated => self.words("remove --ignore-scripts --linker=isolated"),
            _ => self.words("remove --ignore-scripts"),
        };
        words.extend(self.at_root(fixture));
        words.push(package.to_owned());
        words
    }

    /// Starts a script of the project.
    pub(crate) fn run(&self, script: &str) -> Vec<String> {
        self.words(&format!("run {script}"))
    }

    /// Runs deferred maintenance, for a manager that has a command for it.
    pub(crate) fn maintain(&self) -> Option<Vec<String>> {
        self.kind.is_dx().then(|| self.words("store maintain"))
    }

    /// Returns the argument that selects the root of a monorepo.
    fn at_root(&self, fixture: &Fixture) -> Option<String> {
        let flag = match self.kind {
            Kind::Pnpm | Kind::PnpmGlobal | Kind::Aube => "-w",
            Kind::YarnClassic => "-W",
            _ => return None,
        };
        fixture.workspaces.then(|| flag.to_owned())
    }

    fn words(&self, line: &str) -> Vec<String> {
        let program = self.program.iter().map(|word| word.display().to_string());
        program.chain(line.split_whitespace().map(str::to_owned)).collect()
    }

    /// Writes the settings it reads in a project.
    pub(crate) fn write_settings(
        &self,
        fixture: &Fixture,
        project: &Path,
        registry: &Registry<'_>,
    ) -> Result<(), String> {
        let authority = registry.authority.map(|path| path.display().to_string());
        let mut npmrc = format!("registry={}\nignore-scripts=true\n", registry.url);
        if let Some(path) = &authority {
            npmrc += &format!("cafile={path}\n");
        }
        // Recorded versions may be of any age.
        match self.kind {
            kind if kind.is_dx() || kind == Kind::Npm => npmrc += "min-release-age=0\n",
            Kind::Pnpm | Kind::PnpmGlobal | Kind::Aube => {
                let mut settings =
                    "minimumReleaseAge: 0\nlinkWorkspacePackages: true\nupdateNotifier: false\n\
                     strictDepBuilds: false\n"
                        .to_owned();
                if fixture.workspaces {
                    settings += "packages:\n  - packages/*\n";
                }
                if self.kind == Kind::PnpmGlobal {
                    settings += "enableGlobalVirtualStore: true\n";
                }
                write(&project.join("pnpm-workspace.yaml"), &settings)?;
            }
            Kind::Yarn => {
                let mut settings = format!(
                    "npmRegistryServer: \"{}\"\nunsafeHttpWhitelist: [\"127.0.0.1\"]\nnodeLinker: node-modules\n\
                     enableScripts: false\nenableTelemetry: false\nnpmMinimalAgeGate: 0\nenableConstraintsChecks: false\n",
                    registry.url.trim_end_matches('/')
                );
                if let Some(path) = &authority {
                    settings += &format!("httpsCaFilePath: \"{path}\"\n");
                }
                write(&project.join(".yarnrc.yml"), &settings)?;
            }
            _ => {}
        }
        write(&project.join(".npmrc"), &npmrc)
    }

    /// The environment it is run in: nothing of the user's.
    pub(crate) fn environment(
        &self,
        home: &Path,
        node: &Path,
        registry: &Registry<'_>,
    ) -> Vec<(String, String)> {
        let text = |path: &Path| path.display().to_string();
        let mut path = std::env::var("PATH").unwrap_or_default();
        if let Some(folder) = node.parent().filter(|folder| folder.is_absolute()) {
            path = format!("{}:{path}", text(folder));
        }
        let mut variables = vec![
            ("HOME", text(home)),
            ("XDG_CACHE_HOME", text(&home.join(".cache"))),
            ("XDG_DATA_HOME", text(&home.join(".local/share"))),
            ("PATH", path),
            ("TERM", "dumb".to_owned()),
            ("NO_COLOR", "1".to_owned()),
            ("npm_config_update_notifier", "false".to_owned()),
            // Yarn 1 and Yarn 4 would each start the other where a project or a home says so.
            ("YARN_IGNORE_PATH", "1".to_owned()),
            ("COREPACK_ENABLE_STRICT", "0".to_owned()),
        ];
        if let Some(authority) = registry.authority {
            variables.push(("NODE_EXTRA_CA_CERTS", text(authority)));
            variables.push(("npm_config_cafile", text(authority)));
        }
        if self.kind.is_dx() && self.kind != Kind::Dx {
            variables.push(("DX_PREPARED_TREES", "0".to_owned()));
        }
        let protocol = match self.kind {
            Kind::DxDxrp => Some("required"),
            Kind::DxHttp => Some("off"),
            _ => None,
        };
        variables.extend(protocol.map(|protocol| ("npm_config_dxrp", protocol.to_owned())));
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Makes the home folder.
    pub(crate) fn make_home(home: &Path) -> Result<(), String> {
        fs::create_dir_all(home).map_err(|error| format!("{}: {error}", home.display()))
    }
}
