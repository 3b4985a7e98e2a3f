//! Connections that wait: what each of a great many costs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use super::super::{Measurement, Quantity, Result};
use super::programs::{Bench, Proxy};

const CONNECTIONS: u64 = 10_000;
const GOAL: u64 = 10_000;

/// Bytes resident for each connection that has had an answer and waits.
pub(super) fn measure(bench: &Bench) -> Result<Vec<Measurement>> {
    let row = |what: &str, proxy: &Proxy| -> Result<Measurement> {
        Ok(Measurement {
            what: format!("memory of a waiting connection, {what}"),
            measured: Quantity::Bytes(per_connection(bench, proxy)?),
            goal: Quantity::Bytes(GOAL),
        })
    };
    Ok(vec![row("karma", &bench.karma)?, row("nginx", &bench.nginx)?])
}

/// The connections are held by a process of their own: one alone may not have enough files for both ends.
fn per_connection(bench: &Bench, proxy: &Proxy) -> Result<u64> {
    let before = proxy.memory();
    let this = std::env::current_exe()?.display().to_string();
    let words = [this, "hold".to_owned(), proxy.port.to_string()];
    let mut holder = bench
        .beside(&words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    if let Some(output) = holder.stdout.take() {
        BufReader::new(output).read_line(&mut said)?;
    }
    let after = proxy.memory();
    drop(holder.stdin.take());
    holder.wait()?;
    if said.trim() != "held" {
        return Err(format!("{CONNECTIONS} connections could not be held: {said}").into());
    }
    Ok(after.saturating_sub(before) / CONNECTIONS)
}

/// Opens the connections, gets an answer on each, says so, and holds them until standard input ends.
pub(crate) fn hold(port: &str) -> Result<()> {
    let port: u16 = port.parse()?;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(b"GET /1k HTTP/1.1\r\nHost: bench\r\n\r\n")?;
        let mut answer = [0; 4_096];
        let mut length = 0;
        // The head is shorter than the body is long, and both come to more than this.
        while length < 1_024 {
            length += stream.read(&mut answer)?;
        }
        held.push(stream);
    }
    println!("held");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(held);
    Ok(())
}
