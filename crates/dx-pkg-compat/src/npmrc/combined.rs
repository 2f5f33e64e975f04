//! Settings that several keys decide, or that need more than their kind.

use super::value::DependencyType;
use super::{Config, ConfigError};

impl Config {
    /// The certificate authorities of `ca`, each in PEM form; an empty list means the usual ones.
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

    /// What goes before a version that is saved; nothing under `save-exact`.
    ///
    /// # Errors
    /// A value that is not of the setting's kind.
    pub fn save_prefix(&self) -> Result<String, ConfigError> {
        if self.save_exact()? {
            return Ok(String::new());
        }
        self.read("save-prefix", || "^".to_owned())
    }

    /// The packages of `allow-scripts`, whose scripts may run; a comma separates as well.
    ///
    /// # Errors
    /// None today; a list of texts is read from any value.
    pub fn allow_scripts(&self) -> Result<Vec<String>, ConfigError> {
        Ok(separated(self.read("allow-scripts", Vec::new)?))
    }

    /// The dependency types that are not installed: `omit` (without it `dev` where `NODE_ENV` is
    /// `production`) and the older settings that mean the same, less what `include` names.
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
        if self.is_word("only", &["prod", "production"])? || production == Some(true) {
            omit.push(DependencyType::Dev);
        } else if production == Some(false) {
            include.push(DependencyType::Dev);
        }
        if self.is_word("also", &["dev", "development"])? || self.read("dev", || false)? {
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

    fn is_word(&self, key: &str, words: &[&str]) -> Result<bool, ConfigError> {
        let word: Option<String> = self.read(key, || None)?;
        Ok(word.is_some_and(|word| words.contains(&word.as_str())))
    }
}

/// The elements of lists in which a comma separates too.
pub(super) fn separated(list: Vec<String>) -> Vec<String> {
    list.iter()
        .flat_map(|text| text.split(','))
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}
