//! One request, one answer: as much HTTP as it takes to fill a server and to look at what it says.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::Result;

const PATIENCE: Duration = Duration::from_mins(2);

/// The JSON at this path of a server on this machine.
pub(super) fn get(port: u16, path: &str) -> Result<Value> {
    ask(port, &format!("GET {path}"), b"")
}

/// The JSON that a server on this machine answers with.
pub(super) fn post(port: u16, path: &str, body: &Value) -> Result<Value> {
    ask(port, &format!("POST {path}"), body.to_string().as_bytes())
}

fn ask(port: u16, what: &str, body: &[u8]) -> Result<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(
        stream,
        "{what} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer)?;
    parse(&answer).ok_or_else(|| format!("`{what}` was answered with:\n{answer}").into())
}

/// The body of a good answer.
fn parse(answer: &str) -> Option<Value> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?;
    status.starts_with('2').then(|| serde_json::from_str(body).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_good_answer_has_a_body() {
        assert_eq!(
            parse("HTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\n1"),
            Some(1.into())
        );
        assert_eq!(parse("HTTP/1.1 503 Service Unavailable\r\n\r\n1"), None);
        assert_eq!(parse("HTTP/1.1 200 OK\r\n\r\n"), None);
    }
}
