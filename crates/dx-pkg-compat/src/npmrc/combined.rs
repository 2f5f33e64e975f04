//! Settings that several keys decide, or that are converted after reading.

use super::value::{DependencyType, Development, InstallStrategy, Production};
use super::{Config, ConfigError};

impl Config {
    /// Returns the certificate authorities of `ca`, each in PEM form; an empty list means the usual
    /// ones.
    ///
    /// # Errors
    /// None today; a list of texts is read from any value.
    pub fn ca(&self) -> Result<Vec<String>, ConfigError> {
        let authorities = self.read("ca", Vec::<String>::new)?;
        Ok(authorities
            .into_iter()
            .map(|pem| if pem.contains('\n') { pem } else { pem.replace("\\n", "\n") })
            .collect())
    }

    /// Returns the most bytes that one package may unpack to (`max-package-size`), if that is set.
    ///
    /// # Errors
    /// A value that is not of the setting's kind.
    pub fn max_package_bytes(&self) -> Result<Option<u64>, ConfigError> {
        let megabytes = self.read("max-package-size", || None::<u32>)?;
        // As with other limits, none is meant by 0.
        Ok(megabytes.map(|size| if size == 0 { u64::MAX } else { u64::from(size) * 1_000_000 }))
    }

    /// Returns the layout of `node_modules`; the old settings go before the new one, as with npm.
    ///
    /// # Errors
    /// A value that is not of the setting's kind.
    pub fn install_strategy(&self) -> Result<InstallStrategy, ConfigError> {
        if self.read("legacy-bundling", || false)? {
            return Ok(InstallStrategy::Nested);
        }
        if self.read("global-style", || false)? {
            return Ok(InstallStrategy::Shallow);
        }
        self.read("install-strategy", || InstallStrategy::Hoisted)
    }

    /// Returns the range operator in front of a saved version; empty under `save-exact`.
    ///
    /// # Errors
    /// A value that is not of the setting's kind.
    pub fn save_prefix(&self) -> Result<String, ConfigError> {
        if self.save_exact()? {
            return Ok(String::new());
        }
        self.read("save-prefix", || "^".to_owned())
    }

    /// Returns the packages of `allow-scripts`, whose scripts may run; commas separate too.
    ///
    /// # Errors
    /// None today; a list of texts is read from any value.
    pub fn allow_scripts(&self) -> Result<Vec<String>, ConfigError> {
        Ok(separated(self.read("allow-scripts", Vec::new)?))
    }

    /// Returns the dependency types that are not installed: `omit` (without it `dev` where
    /// `NODE_ENV` is `production`) and the older settings for the same, minus `include`.
    ///
    /// # Errors
    /// A value that is not of its setting's kind.
    pub fn omit(&self) -> Result<Vec<DependencyType>, ConfigError> {
        let unset = || {
            let production = self.inner.production;
            production.then_some(DependencyType::Dev).into_iter().collect()
        };
        let mut omit: Vec<DependencyType> = self.read("omit", unset)?;
        let mut include: Vec<DependencyType> = self.read("include", Vec::new)?;
        let production = self.read("production", || None)?;
        let only: Option<Production> = self.read("only", || None)?;
        if only.is_some() || production == Some(true) {
            omit.push(DependencyType::Dev);
        } else if production == Some(false) {
            include.push(DependencyType::Dev);
        }
        let also: Option<Development> = self.read("also", || None)?;
        if also.is_some() || self.read("dev", || false)? {
            include.push(DependencyType::Dev);
        }
        match self.read("optional", || None)? {
            Some(true) => include.push(DependencyType::Optional),
            Some(false) => omit.push(DependencyType::Optional),
            None => {}
        }
        let candidates = [DependencyType::Dev, DependencyType::Optional, DependencyType::Peer];
        let omitted = |kind: &DependencyType| omit.contains(kind) && !include.contains(kind);
        Ok(candidates.into_iter().filter(omitted).collect())
    }
}

/// Splits the elements of a list at commas too.
pub(super) fn separated(list: Vec<String>) -> Vec<String> {
    list.iter()
        .flat_map(|text| text.split(','))
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}
