//! The errors of commands about settings.

use dx_pkg_core::Coded;

/// A setting that cannot be shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Credentials are not printed.
    #[error("{key} holds a secret and is not shown")]
    Protected {
        /// The setting.
        key: String,
    },
    /// Neither npm nor dx has such a setting.
    #[error("{key:?} is no setting of npm or dx")]
    Unknown {
        /// The setting.
        key: String,
        /// A setting with a similar name.
        similar: Option<String>,
    },
    /// npm does not set it any more.
    #[error("{key} is a deprecated setting, which is not set any more")]
    Deprecated {
        /// The setting.
        key: String,
    },
    /// A place that is none.
    #[error("--location={location} is none of user, project and global")]
    Location {
        /// The word.
        location: String,
    },
    /// There is no such file.
    #[error("there is no file of settings for {location} here")]
    NoFile {
        /// The place.
        location: String,
    },
    /// A word that is no action of `dx config`.
    #[error("dx config does not know {word:?}")]
    Action {
        /// The word.
        word: String,
    },
    /// The editor failed.
    #[error("the editor {editor} failed: {ended}")]
    Editor {
        /// The editor.
        editor: String,
        /// How it ended.
        ended: String,
    },
}

impl Coded for SettingsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Protected { .. } => "DX_PROTECTED_SETTING",
            Self::Unknown { .. } | Self::Deprecated { .. } => "DX_UNKNOWN_SETTING",
            Self::Location { .. } | Self::NoFile { .. } => "DX_NO_SETTINGS_FILE",
            Self::Action { .. } => "DX_USAGE",
            Self::Editor { .. } => "DX_EDITOR",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Protected { .. } => "look into the .npmrc; `dx config list` names it".to_owned(),
            Self::Unknown { similar: Some(similar), .. } => format!("did you mean {similar}?"),
            Self::Unknown { .. } => "`dx config list --long` lists all settings".to_owned(),
            Self::Deprecated { .. } => {
                "write it into the .npmrc where an old npm needs it".to_owned()
            }
            Self::Location { .. } => "give one of these".to_owned(),
            Self::NoFile { .. } => "name the user's file with npm_config_userconfig".to_owned(),
            Self::Action { .. } => {
                "usage: dx config get, set, delete, list, edit or fix".to_owned()
            }
            Self::Editor { .. } => "set EDITOR, or give --editor".to_owned(),
        })
    }
}
