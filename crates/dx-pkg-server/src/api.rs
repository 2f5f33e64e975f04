//! The routes, by subject; each module answers those of its own.

mod audit;
mod contents;
mod dxrp;
mod general;
mod login;
mod login_page;
mod operations;
mod orgs;
mod package_access;
mod packument;
mod pages;
mod policy;
mod profile;
mod publish;
mod search;
mod stage;
mod tags;
mod tarball;
mod tokens;
mod trust;
mod unpublish;

pub(crate) use tarball::range_of;

use crate::dxrp::Dxrp;
use crate::http::Routes;
use crate::state::AppState;
use std::sync::Arc;

/// Returns the table of all routes of a registry.
pub(crate) fn routes(state: &Arc<AppState>) -> Routes {
    let mut routes = Routes::default();
    for add in [
        audit::add,
        contents::add,
        general::add,
        login::add,
        login_page::add,
        operations::add,
        orgs::add,
        package_access::add,
        packument::add,
        pages::add,
        policy::add,
        profile::add,
        publish::add,
        search::add,
        stage::add,
        tags::add,
        tarball::add,
        tokens::add,
        trust::add,
        unpublish::add,
    ] {
        add(&mut routes);
    }
    dxrp::add(&mut routes, Dxrp::new(Arc::clone(state)));
    routes.complete();
    routes
}
