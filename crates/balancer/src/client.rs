//! Clients: what lies between their sockets and the way of a request.

pub(crate) mod conversation;
pub(crate) mod http2;
mod reply;
pub(crate) mod stream;
pub(crate) mod wire;
