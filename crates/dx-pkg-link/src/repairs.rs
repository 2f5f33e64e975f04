//! The repairs that a tree in place needs, and how closely it is looked at to find them.

/// How closely a tree is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Packages, links and commands by their names, and each package's manifest.
    Folders,
    /// Also every file of every package by its size, and every command by its target. Packages
    /// with a private copy are left out, as their scripts may change files.
    Files,
}

/// What is to be done to a tree in place, beside the difference from the wanted tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    /// Paths of entries that are not of the tree, and are to be taken away.
    pub(crate) foreign: Vec<String>,
    /// Files to be restored: the path of their package, and their own within it.
    pub(crate) files: Vec<(String, String)>,
    /// Commands that may have to be linked: the `node_modules` folder, and the name.
    pub(crate) commands: Vec<(String, String)>,
}

impl Repairs {
    /// Returns the paths of the packages that lack files.
    pub fn incomplete(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(package, _)| package.as_str())
    }

    /// Leaves alone what is in the project's own `node_modules` and not of the tree.
    pub fn leave_top_level(&mut self) {
        let is_nested = |path: &str| path.matches("node_modules/").count() > 1;
        self.foreign.retain(|path| is_nested(path) || !path.starts_with("node_modules/"));
    }
}
