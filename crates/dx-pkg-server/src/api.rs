//! The routes, by subject; each module answers those of its own.

mod general;

use crate::http::Routes;

/// Returns the table of all routes.
pub(crate) fn routes() -> Routes {
    let mut routes = Routes::default();
    general::add(&mut routes);
    routes.complete();
    routes
}
