//! The packuments of the metadata cache: those on disk as this process saw them, and those that it
//! learnt itself.

pub(crate) mod answer;
pub(crate) mod index;
pub(crate) mod record;
pub(crate) mod unsaved;
pub(crate) mod view;

use std::collections::HashMap;
use std::sync::Arc;

use dx_pkg_core::PackageName;
use dx_pkg_format::packument::Form;
use dx_pkg_os::files::Dir;

use self::unsaved::{Unsaved, UnsavedPackument};
use self::view::View;
use crate::layout::escaped;

/// The cache as this process sees it.
#[derive(Default)]
pub(crate) struct Packuments {
    /// What is on disk, by registry.
    pub(crate) views: HashMap<String, Arc<View>>,
    /// What is not there yet, by registry.
    pub(crate) unsaved: HashMap<String, Unsaved>,
}

impl std::fmt::Debug for Packuments {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Packuments").field("registries", &self.views.keys()).finish()
    }
}

impl Packuments {
    /// Returns the view of a registry; `dir` is the cache's folder, if there is one.
    pub(crate) fn view<'d>(
        &mut self,
        dir: impl FnOnce() -> Option<&'d Dir>,
        registry: &str,
    ) -> Arc<View> {
        if let Some(view) = self.views.get(registry) {
            return view.clone();
        }
        let view = dir().map_or_else(View::default, |dir| View::open(dir, registry));
        let view = Arc::new(view);
        self.views.insert(registry.to_owned(), view.clone());
        view
    }

    pub(crate) fn unsaved(
        &self,
        registry: &str,
        key: &(String, Form),
    ) -> Option<&UnsavedPackument> {
        self.unsaved.get(registry)?.packuments.get(key)
    }
}

/// Returns the letter that names of packuments of a form begin with.
pub(crate) fn letter(form: Form) -> &'static str {
    match form {
        Form::Abbreviated => "a",
        Form::Full => "f",
    }
}

/// Returns the name of a packument's own file within its registry's folder.
pub(crate) fn file_name(name: &PackageName, form: Form) -> String {
    // The prefix also keeps the names of devices, which some systems reserve, from standing alone.
    format!("{}-{}.dxm", letter(form), escaped(name.as_str()))
}
