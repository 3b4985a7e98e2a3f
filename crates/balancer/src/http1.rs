//! HTTP/1.1 on the wire ([RFC 9112](https://www.rfc-editor.org/rfc/rfc9112)): heads, the framing of bodies, and how
//! both are written. Nothing here waits: it works on bytes that have come, and on room for bytes to go.
//!
//! Both sides of the balancer speak it with the same code, so that what one side reads is what the other side writes.

pub(crate) mod body;
pub(crate) mod chunked;
pub(crate) mod framing;
pub(crate) mod head;
pub(crate) mod outbox;
pub(crate) mod write;
