//! The programs of the comparison: nginx as target, nginx and the balancer as proxies.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::super::programs::{Cores, Running, wait_for};
use super::super::{Result, fleet};
use super::events::EventSource;
use crate::process::cargo;
use crate::workspace;

/// What runs while measurements are made; it ends with this.
pub(super) struct Bench {
    pub(super) karma: Proxy,
    pub(super) nginx: Proxy,
    cores: Cores,
    _target: Running,
    _events: EventSource,
}

/// A proxy under test.
pub(super) struct Proxy {
    pub(super) port: u16,
    running: Running,
}

/// More connections than any measurement makes.
const CONNECTIONS: usize = 25_000;

impl Bench {
    pub(super) fn start() -> Result<Self> {
        let built = cargo("build --release --package karma-balancer --example reverse_proxy").status()?;
        if !built.success() {
            return Err("the balancer does not build".into());
        }
        let directory = workspace::target().join("bench");
        write_files(&directory)?;
        let cores = Cores::of_this_machine();
        let events = EventSource::start()?;
        let ports = [fleet::free_port()?, fleet::free_port()?];
        let target = start_nginx(
            &directory,
            "targets",
            &cores.others,
            &targets(&directory, ports, events.port()),
        )?;
        let nginx_port = fleet::free_port()?;
        let config = proxy(&directory, nginx_port, ports, cores.of_tested);
        let nginx = start_nginx(&directory, "proxy", &cores.tested, &config)?;
        let port = fleet::free_port()?;
        let mut program = vec![
            workspace::target()
                .join("release/examples/reverse_proxy")
                .display()
                .to_string(),
        ];
        program.extend([port, ports[0], ports[1]].map(|port| format!("127.0.0.1:{port}")));
        let karma = Running::start(Cores::command(&cores.tested, &program))?;
        for port in [ports[0], ports[1], nginx_port, port] {
            wait_for(port)?;
        }
        Ok(Self {
            karma: Proxy { port, running: karma },
            nginx: Proxy {
                port: nginx_port,
                running: nginx,
            },
            cores,
            _target: target,
            _events: events,
        })
    }

    /// A program beside the proxies, on the other cores.
    pub(super) fn beside(&self, program: &[String]) -> Command {
        Cores::command(&self.cores.others, program)
    }
}

impl Proxy {
    /// Its process, and those it has started.
    pub(super) fn processes(&self) -> Vec<u32> {
        self.running.processes()
    }

    /// Bytes resident.
    pub(super) fn memory(&self) -> u64 {
        self.running.memory()
    }
}

/// nginx with this configuration, on these cores.
fn start_nginx(directory: &Path, name: &str, cores: &str, config: &str) -> Result<Running> {
    let file = directory.join(name).with_extension("conf");
    fs::write(&file, config)?;
    let program = ["nginx", "-e", "stderr", "-p"].map(str::to_owned).into_iter();
    let paths = [
        directory.display().to_string(),
        "-c".to_owned(),
        file.display().to_string(),
    ];
    Running::start(Cores::command(cores, &program.chain(paths).collect::<Vec<_>>()))
}

fn write_files(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory.join("www"))?;
    for (name, length) in [("1k", 1 << 10), ("64k", 64 << 10)] {
        fs::write(directory.join("www").join(name), vec![b'x'; length])?;
    }
    Ok(())
}

/// Two targets in one process, with the event source behind `/events`.
fn targets(directory: &Path, ports: [u16; 2], events: u16) -> String {
    let server = |port: u16| {
        format!(
            "server {{ listen 127.0.0.1:{port} backlog=4096; root {www}; sendfile on; open_file_cache max=100;
               location /events {{ proxy_pass http://127.0.0.1:{events}; proxy_buffering off; proxy_http_version 1.1; }} }}",
            www = directory.join("www").display()
        )
    };
    nginx(
        directory,
        "targets",
        1,
        &[server(ports[0]), server(ports[1])].join("\n"),
    )
}

/// nginx doing what the balancer does: connections kept on both sides, the same headers for the target.
fn proxy(directory: &Path, port: u16, targets: [u16; 2], workers: usize) -> String {
    let content = format!(
        "upstream targets {{ server 127.0.0.1:{}; server 127.0.0.1:{}; keepalive 128; keepalive_requests 1000000000; }}
         server {{ listen 127.0.0.1:{port} reuseport backlog=4096;
           location / {{ proxy_pass http://targets; proxy_http_version 1.1; proxy_set_header Connection \"\";
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
             proxy_set_header X-Forwarded-Port $server_port; proxy_set_header X-Amzn-Trace-Id Root=$request_id; }}
           location /events {{ proxy_pass http://targets; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; }} }}",
        targets[0], targets[1]
    );
    nginx(directory, "proxy", workers, &content)
}

fn nginx(directory: &Path, name: &str, workers: usize, content: &str) -> String {
    let directory = directory.display();
    let places: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {directory}/{name}_{kind};\n"))
        .concat();
    format!(
        "worker_processes {workers}; daemon off; pid {directory}/{name}.pid;
         events {{ worker_connections {CONNECTIONS}; }}
         http {{ access_log off; error_log /dev/null; keepalive_requests 1000000000; keepalive_timeout 3600;
         {places}{content} }}"
    )
}
