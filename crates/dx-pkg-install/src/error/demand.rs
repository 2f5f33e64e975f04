//! Demands that are not met.

use dx_pkg_compat::manifest::{ForeignPin, UnmetEngine};
use dx_pkg_core::Coded;

/// A demand of the project that dx or this machine does not meet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemandError {
    /// Versions are pinned for other package managers only.
    #[error("versions are pinned in {}, which dx cannot carry out", in_fields(pins))]
    ForeignOverrides {
        /// The pins that `overrides` does not repeat.
        pins: Vec<ForeignPin>,
    },
    /// Code of the project's changes what its own package manager installs.
    #[error("{0} can change what is installed, and dx does not run it")]
    Hook(&'static str),
    /// A package of JSR has no registry to come from.
    #[error("{name}@{spec} is a package of JSR, and no registry is set for the scope @jsr")]
    NoJsrRegistry {
        /// The dependency.
        name: String,
        /// The requirement.
        spec: String,
    },
    /// `devEngines` demands another tool.
    #[error("devEngines.{} demands {}, and this is {}", .0.engine, .0.wanted, .0.found)]
    DevEngines(UnmetEngine),
    /// The project or a workspace is for another version of Node.js or npm, or another platform.
    #[error("{package} wants {wants}, and this is {found}")]
    Machine {
        /// The project or workspace.
        package: String,
        /// The demand, such as `node >=30`.
        wants: String,
        /// What is there.
        found: String,
        /// Whether it is about the platform rather than about `engines`.
        is_platform: bool,
    },
}

impl Coded for DemandError {
    fn code(&self) -> &'static str {
        match self {
            Self::ForeignOverrides { .. } => "DX_FOREIGN_OVERRIDES",
            Self::Hook(_) => "DX_FOREIGN_HOOK",
            Self::NoJsrRegistry { .. } => "DX_NO_JSR_REGISTRY",
            Self::DevEngines(_) => "DX_DEV_ENGINES",
            Self::Machine { .. } => "DX_UNSUPPORTED_PLATFORM",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::ForeignOverrides { pins } => how_to_pin(pins),
            Self::Hook(_) => "write what it does into overrides, packageExtensions or scripts of \
                              package.json and remove it; to go on as if it were not there, use \
                              --foreign-overrides=warn"
                .to_owned(),
            Self::NoJsrRegistry { .. } => {
                "add the line @jsr:registry= with the address of JSR's npm registry to .npmrc; \
                 JSR's documentation has it"
                    .to_owned()
            }
            Self::DevEngines(unmet) if unmet.engine == "packageManager" => {
                "use that package manager, allow dx with another entry of devEngines.packageManager \
                 ({\"name\": \"dx\"}), or go on with --force"
                    .to_owned()
            }
            Self::DevEngines(_) => "use what is demanded, or go on with --force".to_owned(),
            Self::Machine { is_platform: true, .. } => {
                "correct os, cpu or libc in that package.json, or go on with --force".to_owned()
            }
            Self::Machine { .. } => {
                "use a version in that range, or install without engine-strict".to_owned()
            }
        })
    }
}

/// Names the pins by their fields: `resolutions (a, b/c)`.
fn in_fields(pins: &[ForeignPin]) -> String {
    let mut fields: Vec<(&str, Vec<&str>)> = Vec::new();
    for pin in pins {
        match fields.iter_mut().find(|(field, _)| *field == pin.field) {
            Some((_, keys)) => keys.push(&pin.key),
            None => fields.push((pin.field, vec![&pin.key])),
        }
    }
    let fields = fields.into_iter().map(|(field, keys)| format!("{field} ({})", keys.join(", ")));
    fields.collect::<Vec<_>>().join(" and ")
}

fn how_to_pin(pins: &[ForeignPin]) -> String {
    let (overrides, others) = ForeignPin::as_overrides(pins);
    let mut hint = match overrides {
        Some(json) => format!("write the same in package.json as \"overrides\": {json}"),
        None => "npm's overrides have no words for it".to_owned(),
    };
    if !others.is_empty() && hint.starts_with("write") {
        let others = others.join(", ");
        hint.push_str(&format!("; there are no words in it for {others}"));
    }
    hint + "; to go on without the pins, use --foreign-overrides=warn"
}
