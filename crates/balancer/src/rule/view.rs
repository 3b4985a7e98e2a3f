//! What rules look at of a request.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderMap, Method, Uri};

use crate::headers;

/// A request as rules see it: as the client sent it, nothing decoded or normalised (AWS does not say that it does).
#[derive(Debug, Clone, Copy)]
pub struct RequestView<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    /// With its port if it has one.
    pub(crate) host: &'a str,
    pub(crate) client: IpAddr,
}

impl<'a> RequestView<'a> {
    /// A request with this head, from a connection with this address at its other end.
    pub fn new(head: &'a Parts, client: IpAddr) -> Self {
        Self {
            method: &head.method,
            uri: &head.uri,
            headers: &head.headers,
            host: headers::host(head),
            client: client.to_canonical(),
        }
    }

    /// The host without its port; empty where there is none.
    pub(crate) fn host_name(&self) -> &'a str {
        headers::split_port(self.host).0
    }

    /// What stands after the first `?`; empty where there is none.
    pub(crate) fn query(&self) -> &'a str {
        self.uri.query().unwrap_or_default()
    }
}
