//! Requests and answers, before any meaning: paths, routes, bodies.

pub(crate) mod answer;
pub(crate) mod body;
mod call;
mod connection;
pub(crate) mod negotiate;
mod parts;
mod path;
mod routes;

pub(crate) use call::Call;
pub(crate) use connection::Connection;
pub(crate) use path::segments;
pub(crate) use routes::Routes;
