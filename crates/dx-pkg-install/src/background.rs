//! Decides whether a background process follows an install.
//!
//! Where none does, nothing that could be lost is put off: fetched packages are stored at once, and
//! files are on the device when the command ends. The project's next tree is left to be prepared:
//! its job stays queued for a later process, or for `dx store maintain`.

use std::sync::OnceLock;

use dx_pkg_compat::npmrc::Config;

use crate::{Environment, InstallError};

/// The variable that wins over the setting `background`.
const VARIABLE: &str = "DX_BACKGROUND";

/// Why nothing is left running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreground {
    /// No trees are prepared, so there is little to do.
    NoTrees,
    /// `background=false` or `DX_BACKGROUND=0`.
    Setting,
    /// The machine runs on its battery.
    Battery,
}

/// What decides whether a background process may be started.
#[derive(Debug, Default)]
pub(crate) struct Background {
    /// The user's decision; otherwise that of the power supply.
    wanted: Option<bool>,
    /// Asked once: the packages of one command are all stored in one way.
    on_battery: OnceLock<bool>,
}

impl Background {
    /// Reads the variable and the setting.
    pub(crate) fn new(environment: &Environment, config: &Config) -> Result<Self, InstallError> {
        let wanted = match environment.variable(VARIABLE) {
            None => config.background()?,
            Some(value) => Some(switch(value).ok_or_else(|| InstallError::BadSwitch {
                name: VARIABLE,
                value: value.to_owned(),
            })?),
        };
        Ok(Background { wanted, on_battery: OnceLock::new() })
    }

    /// Returns whether a background process may be started, or why not.
    pub(crate) fn allowed(&self) -> Result<(), Foreground> {
        match self.wanted {
            Some(true) => Ok(()),
            Some(false) => Err(Foreground::Setting),
            None if *self.on_battery.get_or_init(dx_pkg_os::process::on_battery) => {
                Err(Foreground::Battery)
            }
            None => Ok(()),
        }
    }
}

fn switch(value: &str) -> Option<bool> {
    match value.trim() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::switch;

    #[test]
    fn a_switch_is_a_number_or_a_word() {
        let read = ["1", " 0 ", "true", "false", "yes", ""].map(switch);
        assert_eq!(read, [Some(true), Some(false), Some(true), Some(false), None, None]);
    }
}
