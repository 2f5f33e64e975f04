//! The routes, by subject; each module answers those of its own.

mod general;
mod login;
mod login_page;
mod profile;
mod tokens;

use crate::http::Routes;

/// Returns the table of all routes.
pub(crate) fn routes() -> Routes {
    let mut routes = Routes::default();
    general::add(&mut routes);
    login::add(&mut routes);
    login_page::add(&mut routes);
    profile::add(&mut routes);
    tokens::add(&mut routes);
    routes.complete();
    routes
}
