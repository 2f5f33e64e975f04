//! The pages: search, packages, versions, differences, the registry's state.

use super::contents::{compare, lines, look_into, readme};
use super::search::own;
use crate::access::{self, Action, authorise, caller};
use crate::catalog::{self, Place, place};
use crate::collect::usage;
use crate::failure::Failure;
use crate::http::{Call, Routes};
use crate::packument::Outline;
use crate::page::{self, Html, page, style};
use crate::search::Query;
use crate::storage::blocking;
use crate::usage::Share;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use dx_pkg_core::{PackageName, Version};
use serde_json::Value;
use std::collections::BTreeMap;

/// The most versions, files or packages that a page lists.
const LISTED: usize = 200;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/ui", home);
    routes.on(Method::GET, "/-/ui/style.css", |_: Call| async { Ok(style()) });
    routes.on(Method::GET, "/-/ui/search", search);
    routes.on(Method::GET, "/-/ui/package/{name}", package);
    routes.on(Method::GET, "/-/ui/package/{name}/v/{version}", version);
    routes.on(Method::GET, "/-/ui/package/{name}/diff/{from}/{to}", difference);
}

/// Turns a failure into a page; a browser is asked for name and password where that would help.
fn shown(call: &Call, result: Result<Response, Failure>) -> Result<Response, Failure> {
    let failure = match result {
        Err(failure) if failure.status.is_client_error() => failure,
        other => return other,
    };
    let body = Html::default().markup("<p class=\"warning\">").text(&failure.message);
    let mut response = page(failure.status, &call.base, "dx-registry", &body.markup("</p>"));
    if failure.status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"dx-registry\", charset=\"UTF-8\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    Ok(response)
}

/// Requires a login where the registry is for its users only.
async fn check_reader(call: &Call) -> Result<(), Failure> {
    if call.state.accounts.settings.readers == crate::accounts::Readers::Users {
        caller(call).await?.login()?;
    }
    Ok(())
}

async fn home(call: Call) -> Result<Response, Failure> {
    let result = home_page(&call).await;
    shown(&call, result)
}

async fn home_page(call: &Call) -> Result<Response, Failure> {
    check_reader(call).await?;
    let caller = caller(call).await?;
    let found = own(call, &caller, &Query::default()).await?;
    let mut html = Html::default()
        .markup("<h1>Packages of this registry</h1><pre>npm config set registry ")
        .text(&call.base)
        .markup("</pre><ul class=\"plain\">");
    for (_, candidate) in found.iter().take(LISTED) {
        html = entry(html, call, &candidate.name, &candidate.version, &candidate.description);
    }
    html = html.markup("</ul><p class=\"quiet\">").number(found.len());
    html = html.markup(if found.len() == 1 { " package</p>" } else { " packages</p>" });
    html = html.markup("<h2>Policy</h2>").html(&policy(call));
    html = html.markup("<h2>Storage</h2>").html(&storage(call).await?);
    Ok(page(StatusCode::OK, &call.base, "dx-registry", &html))
}

/// Returns the figures of disk and memory.
async fn storage(call: &Call) -> Result<Html, Failure> {
    let usage = usage(&call.state).await?;
    let (forms, bytes) = call.state.views.size();
    let forms = Share { objects: forms, bytes: bytes as u64 };
    let mut html =
        Html::default().markup("<table class=\"figures\"><tr><th><th>Number<th>Size</tr>");
    for (what, share) in [
        ("Tarballs of published versions", usage.published),
        ("Packuments and tarballs of upstreams, cached", usage.cached),
        ("Packuments in memory, ready to be sent", forms),
    ] {
        html = html.markup("<tr><td>").text(what).markup("<td>").number(share.objects);
        html = html.markup("<td>").text(&size(share.bytes)).markup("</tr>");
    }
    Ok(html.markup("</table>"))
}

/// Writes a number of bytes in the unit that fits.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// Adds a time as npm writes it, to the minute; the whole of it is in the markup.
fn moment(html: Html, time: &str) -> Html {
    let minute: String = time.chars().take(16).collect();
    let html = html.markup("<time datetime=\"").text(time).markup("\">");
    html.text(&minute.replace('T', " ")).markup("</time>")
}

fn entry(html: Html, call: &Call, name: &str, version: &str, description: &str) -> Html {
    html.markup("<li>")
        .link(&call.base, &["package", name], name)
        .markup(" <span class=\"quiet\">")
        .text(version)
        .markup("</span><br>")
        .text(description)
        .markup("</li>")
}

fn policy(call: &Call) -> Html {
    let settings = call.state.policy.settings();
    let mut html = Html::default();
    if call.state.policy.is_empty() {
        return html.markup("<p>Everything of the upstream is passed on.</p>");
    }
    html = html.markup("<ul>");
    if let Some(age) = settings.minimum_age {
        html = html.markup("<li>Versions younger than ").number(age.0.as_secs() / 3600);
        html = html.markup(" hours are refused.</li>");
    }
    if !settings.deny.is_empty() {
        html = html.markup("<li>").number(settings.deny.len()).markup(" entries are denied.</li>");
    }
    if settings.advisories.is_some() {
        html = html.markup("<li>Versions with known vulnerabilities are refused.</li>");
    }
    if settings.dry_run {
        html = html.markup("<li>This is a dry run: refusals are only reported.</li>");
    }
    html.markup("</ul>")
}

async fn search(call: Call) -> Result<Response, Failure> {
    let result = search_page(&call).await;
    shown(&call, result)
}

async fn search_page(call: &Call) -> Result<Response, Failure> {
    check_reader(call).await?;
    let text: String = call.query("text").unwrap_or_default().chars().take(512).collect();
    let caller = caller(call).await?;
    let found = own(call, &caller, &Query::read(&text)).await?;
    let mut html = Html::default().markup("<h1>Search</h1><ul class=\"plain\">");
    for (_, candidate) in found.iter().take(LISTED) {
        html = entry(html, call, &candidate.name, &candidate.version, &candidate.description);
    }
    html = html.markup("</ul>");
    if PackageName::parse(text.trim()).is_ok() {
        html =
            html.markup("<p>Or look at ").link(&call.base, &["package", text.trim()], text.trim());
        html = html.markup(" wherever it comes from.</p>");
    }
    if found.is_empty() {
        html = html.markup("<p>No package of this registry's own fits.</p>");
    }
    Ok(page(StatusCode::OK, &call.base, "Search", &html))
}

/// What a page shows of a package.
struct Shown {
    tags: BTreeMap<String, String>,
    /// The versions, the newest first, with their times.
    versions: Vec<(String, String)>,
    readme: Option<String>,
    maintainers: Vec<String>,
    restrictions: Option<String>,
    is_hosted: bool,
}

async fn look_up(call: &Call, name: &PackageName) -> Result<Shown, Failure> {
    let state = &call.state;
    let mut shown = match place(state, name).await? {
        Place::Hosted(_) => {
            let hosted = access::hosted(state, name).await?;
            let time = |version: &String| hosted.times.get(version).cloned().unwrap_or_default();
            Shown {
                tags: hosted.tags.clone(),
                versions: hosted
                    .versions
                    .keys()
                    .map(|version| (version.clone(), time(version)))
                    .collect(),
                readme: hosted.fields.get("readme").and_then(Value::as_str).map(str::to_owned),
                maintainers: hosted.maintainers.iter().map(|one| one.name.clone()).collect(),
                restrictions: None,
                is_hosted: true,
            }
        }
        Place::Upstream(registry) => {
            let known = state.upstreams.package(&registry, name).await?;
            let restricted = catalog::restricted(state, name, &known).await?;
            let view = &restricted.view;
            let document = state.upstreams.document(&known).await?;
            let own = name.to_string();
            let read = move || {
                let outline = Outline::parse(&document, &own).map_err(Failure::internal)?;
                Ok::<_, Failure>(outline.read::<String>("readme").ok().flatten())
            };
            let time = |version: &String| known.times.get(version).cloned().unwrap_or_default();
            let versions = known.versions.keys().filter(|one| !view.hidden.contains(*one));
            let message = view.restrictions.as_ref().and_then(|one| one.get("message")?.as_str());
            Shown {
                tags: view.tags.clone().unwrap_or_else(|| known.tags.clone()),
                versions: versions.map(|version| (version.clone(), time(version))).collect(),
                readme: blocking(read).await??,
                maintainers: Vec::new(),
                restrictions: message.map(str::to_owned).or_else(|| restricted.notice()),
                is_hosted: false,
            }
        }
        Place::Nowhere => return Err(catalog::missing(name)),
    };
    shown
        .versions
        .sort_by_cached_key(|(version, _)| std::cmp::Reverse(Version::parse_loose(version).ok()));
    Ok(shown)
}

async fn package(call: Call) -> Result<Response, Failure> {
    let result = package_page(&call).await;
    shown(&call, result)
}

async fn package_page(call: &Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(call, Action::Read, &name).await?;
    let found = look_up(call, &name).await?;
    let latest = found.tags.get("latest").cloned().unwrap_or_default();
    let readme = match found.readme.clone().filter(|text| !text.is_empty()) {
        Some(text) => Some(text),
        None if !latest.is_empty() => readme(call, &name, &latest).await.unwrap_or_default(),
        None => None,
    };
    let mut html =
        Html::default().markup("<h1>").text(name.as_str()).markup(" <span class=\"quiet\">");
    html = html.text(&latest).markup("</span></h1><p class=\"quiet\">");
    html = html.text(if found.is_hosted { "Published here" } else { "From the upstream registry" });
    if !found.maintainers.is_empty() {
        html = html.markup(", owned by ").text(&found.maintainers.join(", "));
    }
    html = html.markup("</p>");
    if let Some(restrictions) = &found.restrictions {
        html = html.markup("<pre class=\"warning\">").text(restrictions).markup("</pre>");
    }
    html = html.markup("<pre>npm install ").text(name.as_str()).markup("</pre>");
    if let Some(readme) = readme {
        html = html.markup("<article>").html(&page::readme(&readme)).markup("</article>");
    }
    html = html.markup("<h2>Versions</h2>").html(&versions(call, &name, &found));
    Ok(page(StatusCode::OK, &call.base, name.as_str(), &html))
}

fn versions(call: &Call, name: &PackageName, found: &Shown) -> Html {
    let mut html = Html::default().markup("<table><tr><th>Version<th>Tags<th>Published<th></tr>");
    let listed: Vec<_> = found.versions.iter().take(LISTED).collect();
    for (i, (version, time)) in listed.iter().enumerate() {
        let tags: Vec<&str> = found
            .tags
            .iter()
            .filter(|(_, tagged)| *tagged == version)
            .map(|(tag, _)| tag.as_str())
            .collect();
        html = html.markup("<tr><td>").link(
            &call.base,
            &["package", name.as_str(), "v", version],
            version,
        );
        html = html.markup("<td>").text(&tags.join(", ")).markup("<td>");
        html = moment(html, time).markup("<td>");
        if let Some((before, _)) = listed.get(i + 1) {
            let path = ["package", name.as_str(), "diff", before, version];
            html = html.link(&call.base, &path, "difference");
        }
        html = html.markup("</tr>");
    }
    html = html.markup("</table>");
    if found.versions.len() > LISTED {
        html = html.markup("<p class=\"quiet\">… and older ones</p>");
    }
    html
}

async fn version(call: Call) -> Result<Response, Failure> {
    let result = version_page(&call).await;
    shown(&call, result)
}

async fn version_page(call: &Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(call, Action::Read, &name).await?;
    let wanted = call.part("version");
    let contents = look_into(call, &name, wanted).await?;
    let mut html =
        Html::default().markup("<h1>").link(&call.base, &["package", name.as_str()], name.as_str());
    html = html.markup(" ").text(wanted).markup("</h1>");
    for sentence in &contents.confusion {
        html = html.markup("<p class=\"warning\">").text(sentence).markup("</p>");
    }
    html = html.html(&scripts(&contents.install_scripts)).html(&binaries(&contents.binaries));
    html = html.markup("<h2>Files</h2><table class=\"figures\"><tr><th>Path<th>Size</tr>");
    for (path, file) in contents.files.iter().take(LISTED) {
        html = html.markup("<tr><td>").text(path).markup("<td>");
        html = html.text(&size(file.size)).markup("</tr>");
    }
    html = html.markup("</table>");
    if contents.files.len() > LISTED {
        let more = contents.files.len() - LISTED;
        html = html.markup("<p class=\"quiet\">… and ").number(more).markup(" more</p>");
    }
    Ok(page(StatusCode::OK, &call.base, name.as_str(), &html))
}

fn scripts(scripts: &BTreeMap<String, String>) -> Html {
    let mut html = Html::default();
    if scripts.is_empty() {
        return html.markup("<p>Nothing runs on installation.</p>");
    }
    html = html.markup("<h2>Runs on installation</h2><table>");
    for (name, text) in scripts {
        html = html.markup("<tr><td>").text(name).markup("<td><code>").text(text);
        html = html.markup("</code></tr>");
    }
    html.markup("</table>")
}

fn binaries(paths: &[String]) -> Html {
    let mut html = Html::default();
    if !paths.is_empty() {
        html = html.markup("<h2>Binaries</h2><ul>");
        for path in paths.iter().take(LISTED) {
            html = html.markup("<li>").text(path).markup("</li>");
        }
        html = html.markup("</ul>");
    }
    html
}

async fn difference(call: Call) -> Result<Response, Failure> {
    let result = difference_page(&call).await;
    shown(&call, result)
}

async fn difference_page(call: &Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(call, Action::Read, &name).await?;
    let (from, to) = (call.part("from"), call.part("to"));
    let mut html =
        Html::default().markup("<h1>").link(&call.base, &["package", name.as_str()], name.as_str());
    html = html.markup(" ").text(from).markup(" → ").text(to).markup("</h1>");
    if let Some(path) = call.query("file") {
        html = html.markup("<h2>").text(&path).markup("</h2>");
        html = match lines(call, &name, (from, to), &path).await? {
            Some(lines) => html.markup("<pre>").html(&coloured(&lines)).markup("</pre>"),
            None => html.markup("<p>This file is no text, or too long to be compared.</p>"),
        };
        return Ok(page(StatusCode::OK, &call.base, name.as_str(), &html));
    }
    let found = compare(call, &name, from, to).await?;
    if !found.install_scripts.is_empty() {
        html = html.markup("<p class=\"warning\">What runs on installation has changed.</p>");
        html = html.html(&scripts(&found.install_scripts));
    }
    html = html.html(&binaries(&found.binaries));
    let kinds: [(&'static str, &[String]); 3] = [
        ("<h2>Changed</h2><ul>", &found.changed),
        ("<h2>Added</h2><ul class=\"added\">", &found.added),
        ("<h2>Removed</h2><ul class=\"removed\">", &found.removed),
    ];
    for (title, paths) in kinds {
        if paths.is_empty() {
            continue;
        }
        html = html.markup(title);
        for path in paths.iter().take(LISTED) {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("file", path);
            html = html.markup("<li><a href=\"?").text(&query.finish()).markup("\">");
            html = html.text(path).markup("</a></li>");
        }
        html = html.markup("</ul>");
    }
    Ok(page(StatusCode::OK, &call.base, name.as_str(), &html))
}

fn coloured(lines: &str) -> Html {
    let mut html = Html::default();
    for line in lines.lines() {
        html = match line.as_bytes().first() {
            Some(b'+') => html.markup("<span class=\"added\">").text(line).markup("</span>\n"),
            Some(b'-') => html.markup("<span class=\"removed\">").text(line).markup("</span>\n"),
            _ => html.text(line).markup("\n"),
        };
    }
    html
}
