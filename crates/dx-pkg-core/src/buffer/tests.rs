use super::*;

#[test]
fn sizes_have_their_classes() {
    assert_eq!(size_class(0), Some(0));
    assert_eq!(size_class(SMALLEST), Some(0));
    assert_eq!(size_class(SMALLEST + 1), Some(1));
    assert_eq!(size_class(16 << 20), Some(SIZES - 1));
    assert_eq!(size_class((16 << 20) + 1), None);
    assert_eq!(size_class(usize::MAX), None);
}

#[test]
fn a_buffer_has_the_size_asked_for_whoever_had_it_before() {
    for size in [0, 1, SMALLEST, 5000, 100_000, 5000] {
        let mut buffer = Buffer::with_length(size);
        assert_eq!(buffer.len(), size);
        buffer.bytes_mut().fill(7);
        buffer.truncate(3);
        assert_eq!(&*buffer, &[7, 7, 7][..size.min(3)]);
    }
}

#[test]
fn a_buffer_grows_with_what_is_added() {
    let mut buffer = Buffer::default();
    let mut expected = Vec::new();
    for number in 0..2000_u32 {
        buffer.extend(&number.to_le_bytes());
        expected.extend(number.to_le_bytes());
    }
    buffer.extend(&[1; 50_000]);
    expected.extend([1; 50_000]);
    assert_eq!(&*buffer, expected);
    buffer.truncate(2);
    buffer.extend(&[9]);
    assert_eq!(&*buffer, &[0, 0, 9]);
}

#[test]
fn no_more_is_kept_than_is_allowed() {
    let buffers: Vec<Buffer> = (0..4).map(|_| Buffer::with_length(8 << 20)).collect();
    drop(buffers);
    assert!(pool().bytes <= MAX_POOLED);
}
