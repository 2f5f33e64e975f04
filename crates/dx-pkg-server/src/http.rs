//! Requests and answers, before any meaning: paths, routes, bodies.

pub(crate) mod answer;
pub(crate) mod body;
mod call;
pub(crate) mod negotiate;
mod parts;
mod path;
mod routes;

pub(crate) use body::plain;
pub(crate) use call::Call;
pub(crate) use path::segments;
pub(crate) use routes::Routes;
