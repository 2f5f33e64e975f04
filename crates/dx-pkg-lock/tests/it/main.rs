//! The cost of reading a DXL file.
#![allow(clippy::unwrap_used)]

use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_lock::{Lock, LockPackage};

/// A lock of the size of a real application's: 1,226 packages with a handful of dependencies each.
fn large_lock() -> Lock {
    let package = |number: usize| LockPackage {
        path: if number == 0 {
            String::new()
        } else {
            format!("node_modules/@scope{}/package-{number}", number % 40)
        },
        version: Some(format!("{}.{}.0", number % 9, number % 31)),
        resolved: Some(format!(
            "https://registry.example/package-{number}/-/package-{number}-1.0.0.tgz"
        )),
        integrity: Some(format!("sha512-{number:086}==")),
        license: Some("MIT".into()),
        engines: Some(r#"{"node":">=18"}"#.into()),
        dependencies: (1..5)
            .map(|n| (format!("package-{}", number + n), format!("^{n}.0.0")))
            .collect(),
        ..LockPackage::default()
    };
    Lock { format_version: 3, packages: (0..1226).map(package).collect(), ..Lock::default() }
}

/// Opens a file and reads the fields that an install needs of every package; the sum keeps the work
/// from being optimised away.
fn visit(bytes: &[u8]) -> usize {
    let view = DxlView::open(bytes).unwrap();
    view.packages()
        .map(|package| {
            package.path().len()
                + package.name().len()
                + package.version().map_or(0, str::len)
                + package.resolved().map_or(0, str::len)
                + package.id().map_or(0, |id| usize::from(id.first_byte()))
                + package.bin().len()
                + package.os().iter().map(str::len).sum::<usize>()
                + usize::from(package.optional())
        })
        .sum()
}

#[test]
fn opening_visiting_and_looking_up_allocate_nothing() {
    let lock = large_lock();
    let bytes = dxl::encode(&lock, [0; 32]);
    let mut seen = 0;
    let cost = allocation_counter::measure(|| {
        seen += visit(&bytes);
        let view = DxlView::open(&bytes).unwrap();
        for package in &lock.packages {
            let found = view.get(&package.path).unwrap();
            seen += found
                .dependencies()
                .iter()
                .map(|(name, spec)| name.len() + spec.len())
                .sum::<usize>();
        }
    });
    assert!(seen > 100_000);
    assert_eq!((cost.count_total, cost.bytes_total), (0, 0));
}

/// Run: `DX_DXL=file cargo test --profile fast -p dx-pkg-lock --test it -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout)]
fn time_to_open_and_visit() {
    let bytes = std::env::var("DX_DXL")
        .map_or_else(|_| dxl::encode(&large_lock(), [0; 32]), |path| std::fs::read(path).unwrap());
    let timed = |work: &dyn Fn() -> usize| {
        let mut best = std::time::Duration::MAX;
        for _ in 0..2000 {
            let start = std::time::Instant::now();
            std::hint::black_box(work());
            best = best.min(start.elapsed());
        }
        best
    };
    println!("{} bytes", bytes.len());
    println!(
        "open          {:?}",
        timed(&|| DxlView::open(std::hint::black_box(&bytes)).unwrap().len())
    );
    println!("open + visit  {:?}", timed(&|| visit(std::hint::black_box(&bytes))));
}
