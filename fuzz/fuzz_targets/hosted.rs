//! Any text as the address of a repository: one of a hosting site, whose pages are on that site, or
//! of another.

use dx_pkg_compat::hosted::Hosted;

const SITES: [&str; 5] =
    ["github.com", "gitlab.com", "bitbucket.org", "gist.github.com", "git.sr.ht"];

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Some(hosted) = Hosted::read(&text) else { return };
    for page in [Some(hosted.docs()), hosted.bugs()].into_iter().flatten() {
        let site = page.strip_prefix("https://").and_then(|page| page.split_once('/'));
        assert!(site.is_some_and(|(site, _)| SITES.contains(&site)), "{text:?}: {page:?}");
    }
    let _ = (hosted.corrected(), hosted.repository());
}
