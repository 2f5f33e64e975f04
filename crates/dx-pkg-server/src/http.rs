//! Requests and answers, before any meaning: paths, routes, bodies.

pub(crate) mod answer;
mod body;
mod call;
mod path;
mod routes;

pub(crate) use call::Call;
pub(crate) use path::segments;
pub(crate) use routes::Routes;
