//! Twenty downloads that take 200 ms each: one after another, and through the fetcher with its
//! defaults.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use dx_pkg_fetch::config::FetchConfig;
use dx_pkg_fetch::{Fetcher, Request};
use dx_pkg_testkit::{Fault, Registry};
use std::time::Duration;
use tokio::task::JoinSet;
use url::Url;

const DOWNLOADS: usize = 20;

fn downloads(criterion: &mut Criterion) {
    let registry = Registry::start();
    let urls: Vec<Url> = (0..DOWNLOADS)
        .map(|number| {
            let name = format!("package-{number}");
            registry.package(&name, "1.0.0").publish();
            Url::parse(&format!("{}{name}/-/{name}-1.0.0.tgz", registry.url())).unwrap()
        })
        .collect();
    registry.fault("*", Fault::Delay(Duration::from_millis(200)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut group = criterion.benchmark_group("downloads");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_millis(1));
    group.measurement_time(Duration::from_millis(1));

    group.bench_function("one-by-one", |bencher| {
        let fetcher = Fetcher::new(FetchConfig::default());
        bencher.iter(|| {
            runtime.block_on(async {
                for url in &urls {
                    fetcher.get(Request::tarball(url.clone())).await.unwrap();
                }
            });
        });
    });
    group.bench_function("fetcher", |bencher| {
        let fetcher = Fetcher::new(FetchConfig::default());
        bencher.iter(|| {
            runtime.block_on(async {
                let mut downloads = JoinSet::new();
                for url in &urls {
                    let (fetcher, url) = (fetcher.clone(), url.clone());
                    downloads
                        .spawn(async move { fetcher.get(Request::tarball(url)).await.map(drop) });
                }
                for outcome in downloads.join_all().await {
                    outcome.unwrap();
                }
            });
        });
    });
    group.finish();
}

criterion_group!(benches, downloads);
criterion_main!(benches);
