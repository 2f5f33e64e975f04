//! The table of routes: a method and a pattern for each function that answers.
//!
//! A pattern is a path whose segments are literal or in braces: `{name}` stands for a package's
//! name, in one segment (`left-pad`, `@scope%2fname`) or in two (`@scope/name`), any other for one
//! segment. Literal segments go before those in braces, whatever the order of registration. HEAD is
//! answered by the function for GET.

use super::call::Call;
use super::parts::Parts;
use crate::failure::Failure;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use dx_pkg_core::PackageName;
use std::pin::Pin;

type Answer = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>>;
type Handler = Box<dyn Fn(Call) -> Answer + Send + Sync>;

struct Route {
    method: Method,
    pattern: Vec<&'static str>,
    handler: Handler,
}

/// The routes; see the module.
#[derive(Default)]
pub(crate) struct Routes(Vec<Route>);

/// A path that a pattern fits, except that the name in it breaks a rule.
enum Match {
    Fits(Parts),
    BadName(String),
    No,
}

impl Routes {
    /// Adds a route: `routes.on(Method::GET, "/-/package/{name}/dist-tags", list)`.
    pub(crate) fn on<F, A>(&mut self, method: Method, pattern: &'static str, handler: F)
    where
        F: Fn(Call) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response, Failure>> + Send + 'static,
    {
        let pattern = pattern.split('/').filter(|segment| !segment.is_empty()).collect();
        let handler: Handler = Box::new(move |call| Box::pin(handler(call)));
        self.0.push(Route { method, pattern, handler });
    }

    /// Orders the routes, after the last was added: more literal ones first.
    pub(crate) fn complete(&mut self) {
        self.0.sort_by_key(|route| {
            route.pattern.iter().map(|segment| segment.starts_with('{')).collect::<Vec<_>>()
        });
    }

    /// Answers a call by the first route that fits.
    ///
    /// # Errors
    /// What the route's function returns; 400 for a name that breaks a rule, 405 for a path that
    /// has other methods, 404 for any other.
    pub(crate) async fn answer(&self, mut call: Call) -> Result<Response, Failure> {
        let wanted = if call.method == Method::HEAD { Method::GET } else { call.method.clone() };
        let (mut bad_name, mut others) = (None, Vec::new());
        for route in &self.0 {
            match fit(&route.pattern, &call.segments) {
                Match::Fits(parts) if route.method == wanted => {
                    call.parts = parts;
                    return (route.handler)(call).await;
                }
                Match::Fits(_) => others.push(route.method.as_str()),
                Match::BadName(rule) => bad_name = bad_name.or(Some(rule)),
                Match::No => {}
            }
        }
        if let Some(rule) = bad_name {
            return Err(Failure::bad_request(rule));
        }
        if others.is_empty() {
            return Err(Failure::not_found("this registry has nothing at this path"));
        }
        others.sort_unstable();
        others.dedup();
        let message = format!("{} does not go with this path", call.method);
        let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, message);
        Err(failure.header(header::ALLOW, &others.join(", ")))
    }
}

fn fit(pattern: &[&'static str], segments: &[String]) -> Match {
    let mut parts = Parts::default();
    let mut rest = segments;
    let mut bad_name = None;
    for wanted in pattern {
        let Some((first, after)) = rest.split_first() else {
            return Match::No;
        };
        rest = after;
        if *wanted == "{name}" {
            if first == "-" {
                return Match::No;
            }
            let mut name = first.clone();
            if name.starts_with('@') && !name.contains('/') {
                let Some((bare, after)) = rest.split_first() else {
                    bad_name = Some(format!("{name:?} is a scope without a package's name"));
                    continue;
                };
                name = format!("{name}/{bare}");
                rest = after;
            }
            match PackageName::parse(&name) {
                Ok(name) => parts.name = Some(name),
                Err(error) => bad_name = Some(error.to_string()),
            }
        } else if let Some(key) =
            wanted.strip_prefix('{').and_then(|wanted| wanted.strip_suffix('}'))
        {
            parts.values.push((key, first.clone()));
        } else if first != wanted {
            return Match::No;
        }
    }
    match bad_name {
        _ if !rest.is_empty() => Match::No,
        Some(rule) => Match::BadName(rule),
        None => Match::Fits(parts),
    }
}

#[cfg(test)]
mod tests;
