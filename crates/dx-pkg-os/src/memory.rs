//! Settings of the system's allocator.

/// The size in bytes from which on a freed block goes back to the system at once.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 128 << 10;

/// The least number of bytes by which a heap grows, so that it seldom has to.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const STEP: libc::c_int = 1 << 20;

/// Fixes the size from which on glibc returns freed blocks to the system (mallopt(3)).
///
/// By itself glibc raises that size once a large block was freed: response bodies and archives of
/// many sizes on several threads then fragment the heaps. When this was introduced, the peak of an
/// install of 1,300 packages into an empty store fell from 215 MiB to between 120 and 145 MiB, in
/// the same time.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator's settings have no safe form")]
pub fn return_large_blocks() {
    // SAFETY: both settings may be changed at any time.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TOP_PAD, STEP);
    }
}

/// Does nothing: other allocators keep their settings.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn return_large_blocks() {}
