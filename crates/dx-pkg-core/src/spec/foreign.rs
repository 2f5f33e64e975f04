//! Protocols of requirements that other package managers have and npm does not.

use super::scheme;

/// A protocol that npm does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ForeignProtocol {
    /// The protocol with its colon.
    pub(super) protocol: &'static str,
    /// The package managers that have it.
    pub(super) managers: &'static str,
    /// What to write instead.
    pub(super) instead: &'static str,
}

const PROTOCOLS: [ForeignProtocol; 8] = [
    ForeignProtocol {
        protocol: "workspace:",
        managers: "pnpm, yarn and bun",
        instead: "write \"*\" or a range: a workspace of that name is linked if its version is in it",
    },
    ForeignProtocol {
        protocol: "catalog:",
        managers: "pnpm, yarn and bun",
        instead: "write the version that the catalog has for it",
    },
    ForeignProtocol {
        protocol: "link:",
        managers: "pnpm, yarn and bun",
        instead: "write file: with the same path",
    },
    ForeignProtocol {
        protocol: "portal:",
        managers: "yarn",
        instead: "write file: with the same path",
    },
    ForeignProtocol {
        protocol: "jsr:",
        managers: "pnpm and yarn",
        instead: "write \"npm:@jsr/scope__name@range\", and set @jsr:registry in .npmrc to JSR's npm \
                  registry",
    },
    ForeignProtocol {
        protocol: "patch:",
        managers: "yarn",
        instead: "write the version there, and the patch in the project's own package.json",
    },
    ForeignProtocol {
        protocol: "exec:",
        managers: "yarn",
        instead: "write a version, or file: with the path of a folder",
    },
    ForeignProtocol {
        protocol: "runtime:",
        managers: "pnpm",
        instead: "remove it, and name the version of Node.js in devEngines.runtime",
    },
];

impl ForeignProtocol {
    /// Returns the protocol of a requirement, where it is one that npm does not have.
    pub(super) fn of(text: &str) -> Option<&'static Self> {
        let scheme = scheme(text)?;
        PROTOCOLS
            .iter()
            .find(|known| known.protocol.trim_end_matches(':').eq_ignore_ascii_case(scheme))
    }
}
