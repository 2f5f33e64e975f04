//! The routes, by subject; each module answers those of its own.

mod general;
mod packument;
mod publish;
mod tags;
mod tarball;
mod unpublish;

use crate::http::Routes;

/// Returns the table of all routes.
pub(crate) fn routes() -> Routes {
    let mut routes = Routes::default();
    general::add(&mut routes);
    packument::add(&mut routes);
    tarball::add(&mut routes);
    publish::add(&mut routes);
    unpublish::add(&mut routes);
    tags::add(&mut routes);
    routes.complete();
    routes
}
