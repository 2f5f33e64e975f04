//! Mutation fuzzing of every decoder and every parser of text, on the stable toolchain and the
//! standard library.
//!
//! ```text
//! cargo run --release --manifest-path fuzz/Cargo.toml -- <target> [iterations] [seed]
//! cargo run --release --manifest-path fuzz/Cargo.toml -- <target> <minutes>m [seed]
//! cargo run --release --manifest-path fuzz/Cargo.toml -- <target> <file>
//! cargo run --release --manifest-path fuzz/Cargo.toml -- --list
//! ```
//!
//! Inputs are mutations of `corpus/<target>/`; the same seed gives the same inputs. An input that
//! makes a target panic is kept in `artifacts/<target>/` and can be given back as a file. A new
//! target is a file in `fuzz_targets/`, a row in [`TARGETS`], and a folder of small valid inputs in
//! `corpus/`. `cargo xtask fuzz` runs all of them.

mod mutate;
mod scratch;

/// The patterns that a file of another crate looks for in its own.
mod glob {
    pub(crate) use dx_pkg_compat::glob::{Segment, expand};
}

#[path = "../fuzz_targets/archive_import.rs"]
mod archive_import;
#[path = "../fuzz_targets/cached_install_decode.rs"]
mod cached_install_decode;
#[path = "../fuzz_targets/certificate.rs"]
mod certificate;
#[path = "../fuzz_targets/chain_decode.rs"]
mod chain_decode;
#[path = "../fuzz_targets/command_line.rs"]
mod command_line;
#[path = "../fuzz_targets/dxp_decode.rs"]
mod dxp_decode;
#[path = "../fuzz_targets/dxrp.rs"]
mod dxrp;
#[path = "../fuzz_targets/headers.rs"]
mod headers;
#[path = "../fuzz_targets/homes.rs"]
mod homes;
#[path = "../fuzz_targets/hosted.rs"]
mod hosted;
#[path = "../fuzz_targets/ignore_rules.rs"]
mod ignore_rules;
#[path = "../fuzz_targets/integrity.rs"]
mod integrity;
#[path = "../fuzz_targets/keys.rs"]
mod keys;
#[path = "../fuzz_targets/licenses.rs"]
mod licenses;
#[path = "../fuzz_targets/lock_decode.rs"]
mod lock_decode;
#[path = "../fuzz_targets/ls_remote.rs"]
mod ls_remote;
#[path = "../fuzz_targets/manifest.rs"]
mod manifest;
#[path = "../fuzz_targets/metadata_record.rs"]
mod metadata_record;
#[path = "../fuzz_targets/npmrc.rs"]
mod npmrc;
#[path = "../fuzz_targets/package_lock.rs"]
mod package_lock;
#[path = "../fuzz_targets/package_record.rs"]
mod package_record;
#[path = "../fuzz_targets/packument_decode.rs"]
mod packument_decode;
#[path = "../fuzz_targets/packument_encode.rs"]
mod packument_encode;
#[path = "../fuzz_targets/patch.rs"]
mod patch;
#[path = "../fuzz_targets/pending_record.rs"]
mod pending_record;
#[path = "../fuzz_targets/provenance_certificate.rs"]
mod provenance_certificate;
#[path = "../fuzz_targets/selectors.rs"]
mod selectors;
#[path = "../fuzz_targets/semver.rs"]
mod semver;
#[path = "../fuzz_targets/server_config.rs"]
mod server_config;
#[path = "../fuzz_targets/server_headers.rs"]
mod server_headers;
#[path = "../fuzz_targets/server_lockfile.rs"]
mod server_lockfile;
#[path = "../fuzz_targets/server_path.rs"]
mod server_path;
#[path = "../fuzz_targets/server_publish.rs"]
mod server_publish;
#[path = "../fuzz_targets/server_readme.rs"]
mod server_readme;
#[path = "../fuzz_targets/server_token.rs"]
mod server_token;
#[path = "../fuzz_targets/server_verdaccio.rs"]
mod server_verdaccio;
#[path = "../fuzz_targets/small_records.rs"]
mod small_records;
#[path = "../fuzz_targets/specs.rs"]
mod specs;
#[path = "../fuzz_targets/state_decode.rs"]
mod state_decode;
#[path = "../fuzz_targets/tarball_unpack.rs"]
mod tarball_unpack;
#[path = "../fuzz_targets/texts.rs"]
mod texts;
#[path = "../fuzz_targets/workspace_patterns.rs"]
mod workspace_patterns;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use dx_pkg_format::dxrp::Kind;
use mutate::Mutator;
use rustix::time::{ClockId, clock_gettime};

/// A decoder or parser under test; it must return, whatever the bytes.
type Target = fn(&[u8]);

const TARGETS: &[(&str, Target)] = &[
    ("archive_import", archive_import::run),
    ("cached_install_decode", cached_install_decode::run),
    ("certificate", certificate::run),
    ("chain_decode", chain_decode::run),
    ("command_line", command_line::run),
    ("dxp_decode", dxp_decode::run),
    ("dxrp", dxrp::run),
    ("dxrp_delta", |data| dxrp::message(Kind::Delta, data)),
    ("dxrp_end", |data| dxrp::message(Kind::End, data)),
    ("dxrp_error", |data| dxrp::message(Kind::Error, data)),
    ("dxrp_hello", |data| dxrp::message(Kind::Hello, data)),
    ("dxrp_key", |data| dxrp::message(Kind::Key, data)),
    ("dxrp_meta", |data| dxrp::message(Kind::Meta, data)),
    ("dxrp_meta_question", |data| dxrp::message(Kind::MetaQuestion, data)),
    ("dxrp_missing", |data| dxrp::message(Kind::Missing, data)),
    ("dxrp_pack", |data| dxrp::message(Kind::Pack, data)),
    ("dxrp_plan", |data| dxrp::message(Kind::Plan, data)),
    ("dxrp_plan_question", |data| dxrp::message(Kind::PlanQuestion, data)),
    ("dxrp_want", |data| dxrp::message(Kind::Want, data)),
    ("headers", headers::run),
    ("homes", homes::run),
    ("hosted", hosted::run),
    ("ignore_rules", ignore_rules::run),
    ("integrity", integrity::run),
    ("keys", keys::run),
    ("licenses", licenses::run),
    ("lock_decode", lock_decode::run),
    ("ls_remote", ls_remote::run),
    ("manifest", manifest::run),
    ("metadata_record", metadata_record::run),
    ("npmrc", npmrc::run),
    ("package_lock", package_lock::run),
    ("package_record", package_record::run),
    ("packument_decode", packument_decode::run),
    ("packument_encode", packument_encode::run),
    ("patch", patch::run),
    ("pending_record", pending_record::run),
    ("provenance_certificate", provenance_certificate::run),
    ("selectors", selectors::run),
    ("semver", semver::run),
    ("server_config", server_config::run),
    ("server_headers", server_headers::run),
    ("server_lockfile", server_lockfile::run),
    ("server_path", server_path::run),
    ("server_publish", server_publish::run),
    ("server_readme", server_readme::run),
    ("server_token", server_token::run),
    ("server_verdaccio", server_verdaccio::run),
    ("small_records", small_records::run),
    ("specs", specs::run),
    ("state_decode", state_decode::run),
    ("tarball_unpack", tarball_unpack::run),
    ("texts", texts::run),
    ("workspace_patterns", workspace_patterns::run),
];

/// Inputs that take longer are reported: a decoder should not be made to hang either.
const SLOW: Duration = Duration::from_secs(1);
/// Crashes after which a run ends.
const ENOUGH: usize = 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--list") {
        TARGETS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let Some(&(name, target)) =
        TARGETS.iter().find(|(name, _)| arguments.first().is_some_and(|given| given == name))
    else {
        let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: fuzz <{}> [iterations|<minutes>m|file] [seed]", names.join("|"));
        return ExitCode::from(2);
    };
    let count = arguments.get(1).map_or("10000", String::as_str);
    let Some(extent) = Extent::parse(count) else {
        let input = std::fs::read(count).expect("the second argument is a number or a file");
        target(&input);
        scratch::remove();
        return ExitCode::SUCCESS;
    };
    let seed = arguments.get(2).map_or(Ok(1), |seed| seed.parse()).expect("the seed is a number");
    let crashes = fuzz(name, target, extent, seed);
    scratch::remove();
    if crashes == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How long a run takes; times are processor time, so that other work on the machine does not count.
#[derive(Clone, Copy)]
enum Extent {
    Inputs(u64),
    Time(Duration),
}

/// Returns the processor time that this process has used.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

impl Extent {
    fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('m').map(str::parse::<f64>) {
            Some(Ok(minutes)) => Duration::try_from_secs_f64(60.0 * minutes).ok().map(Self::Time),
            _ => text.parse().ok().map(Self::Inputs),
        }
    }

    fn has_more(self, inputs: u64, begun: Duration) -> bool {
        match self {
            Self::Inputs(count) => inputs < count,
            Self::Time(time) => processor_time() - begun < time,
        }
    }
}

fn fuzz(name: &str, target: Target, extent: Extent, seed: u64) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = read_corpus(&root.join("corpus").join(name));
    let mut mutator = Mutator::new(seed, &corpus);
    let (mut crashes, mut slowest) = (0, Duration::ZERO);
    let begun = processor_time();
    // A panic is expected; its message is printed when the kept input is run alone.
    std::panic::set_hook(Box::new(|_| {}));
    let mut iterations = 0;
    while extent.has_more(iterations, begun) {
        let iteration = iterations;
        iterations += 1;
        let input = mutator.next_input();
        let (outcome, elapsed) = timed(target, &input);
        slowest = slowest.max(elapsed);
        let kind = match outcome {
            Err(_) => "crash",
            Ok(()) if elapsed > SLOW => "slow",
            Ok(()) => continue,
        };
        crashes += 1;
        let kept =
            keep(&root.join("artifacts").join(name), &format!("{kind}-{seed}-{iteration}"), &input);
        println!("{kind} at iteration {iteration}: {}", kept.display());
        if crashes == ENOUGH {
            break;
        }
    }
    println!(
        "{name}: {iterations} inputs from {} seeds in {:.1?}, slowest {slowest:.1?}, {crashes} crashes",
        corpus.len(),
        processor_time() - begun
    );
    crashes
}

fn timed(target: Target, input: &[u8]) -> (std::thread::Result<()>, Duration) {
    let started = processor_time();
    let outcome = catch_unwind(AssertUnwindSafe(|| target(input)));
    (outcome, processor_time() - started)
}

fn read_corpus(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("reading {}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the corpus can be listed").path()).collect();
    // The order of a folder differs between machines; the inputs must not.
    paths.sort();
    let corpus: Vec<_> =
        paths.iter().map(|path| std::fs::read(path).expect("the corpus can be read")).collect();
    assert!(!corpus.is_empty(), "{} is empty", folder.display());
    corpus
}

fn keep(folder: &Path, name: &str, input: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, input))
        .expect("an artifact can be written");
    path
}
