//! Memory that goes round: buffers and header maps of requests that are over, for those that come next on this thread.
//!
//! A request needs a few of each for a moment. Connections that wait have none, so that a great many can wait.

use std::cell::RefCell;

use bytes::BytesMut;
use http::HeaderMap;

/// Room in a buffer: enough for one read of what is small.
pub(crate) const ROOM: usize = 8 * 1_024;

/// What a thread keeps at most. More is used at once only where there is much to do, and then the allocator does its part.
const MOST: usize = 64;
/// A buffer that has become larger than this is not kept.
const MOST_ROOM: usize = 128 * 1_024;
/// A map that has become larger than this is not kept.
const MOST_HEADERS: usize = 128;

#[derive(Default)]
struct Stash {
    buffers: Vec<BytesMut>,
    maps: Vec<HeaderMap>,
}

thread_local! {
    static STASH: RefCell<Stash> = RefCell::default();
}

/// Makes sure that a buffer has some room, if nothing is in it.
pub(crate) fn fill(buffer: &mut BytesMut) {
    if buffer.is_empty() && !buffer.try_reclaim(ROOM) {
        let kept = STASH.with_borrow_mut(|stash| stash.buffers.pop());
        *buffer = kept.unwrap_or_else(|| BytesMut::with_capacity(ROOM));
    }
}

/// Takes the memory of a buffer, unless somebody still reads what was in it.
pub(crate) fn empty(buffer: &mut BytesMut) {
    let mut left = std::mem::take(buffer);
    left.clear();
    if left.try_reclaim(ROOM) && left.capacity() <= MOST_ROOM {
        STASH.with_borrow_mut(|stash| {
            if stash.buffers.len() < MOST {
                stash.buffers.push(left);
            }
        });
    }
}

/// A map without headers.
pub(crate) fn headers() -> HeaderMap {
    let kept = STASH.with_borrow_mut(|stash| stash.maps.pop());
    kept.unwrap_or_else(|| HeaderMap::with_capacity(32))
}

/// Takes a map that is no longer needed.
pub(crate) fn keep_headers(mut headers: HeaderMap) {
    headers.clear();
    if (1..=MOST_HEADERS).contains(&headers.capacity()) {
        STASH.with_borrow_mut(|stash| {
            if stash.maps.len() < MOST {
                stash.maps.push(headers);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_comes_back_empty() {
        let mut buffer = BytesMut::new();
        fill(&mut buffer);
        buffer.extend_from_slice(b"secret");
        let memory = buffer.as_ptr();
        drop(buffer.split());
        empty(&mut buffer);
        let mut next = BytesMut::new();
        fill(&mut next);
        assert_eq!((next.as_ptr(), next.len()), (memory, 0));
    }

    #[test]
    fn what_is_still_read_is_not_used_again() {
        let mut buffer = BytesMut::new();
        fill(&mut buffer);
        buffer.extend_from_slice(b"read later");
        let read_later = buffer.split().freeze();
        empty(&mut buffer);
        let mut next = BytesMut::new();
        fill(&mut next);
        next.extend_from_slice(&[0; 100]);
        assert_eq!(read_later, "read later");
    }

    #[test]
    fn a_map_comes_back_without_its_headers() {
        let mut map = headers();
        map.insert("a", http::HeaderValue::from_static("b"));
        keep_headers(map);
        assert!(headers().is_empty());
    }
}
