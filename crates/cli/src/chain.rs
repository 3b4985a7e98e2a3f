//! `karma up --chain`: a chain of this machine's own, for tasks that pay each other.
//!
//! What happens on it is the stack's affair. karma starts [anvil](https://getfoundry.sh/anvil), which makes fresh accounts with gas; runs the command
//! that `[chain]` of `karma.toml` names, with the first account's key and the addresses of the others; and gives every container
//! what that command prints, and the key of an account of its own. The chain ends with the fleet, and its keys are worth nothing elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use karma_fleet::Fleet;
use serde::Deserialize;

use crate::failure::Failure;
use crate::karma_toml;
use crate::printer::Printer;
use crate::settings::StackDirectory;

/// anvil's own number, which no public chain has: what is signed here counts nowhere else.
const CHAIN_ID: &str = "31337";

/// Whoever sits at this machine; no container has such a name.
const VISITOR: &str = "";

/// It takes a quarter of a second.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A chain that runs while this is held.
pub(crate) struct LocalChain {
    anvil: Child,
    port: u16,
}

/// Variables by container.
pub(crate) type Variables = BTreeMap<String, BTreeMap<String, String>>;

/// The accounts that anvil has made, as it writes them down.
#[derive(Deserialize)]
struct Accounts {
    #[serde(rename = "available_accounts")]
    addresses: Vec<String>,
    private_keys: Vec<String>,
}

/// What the stack's command prints.
#[derive(Deserialize)]
struct Prepared {
    /// A line for people.
    summary: String,
    /// What every container is told.
    environment: BTreeMap<String, String>,
}

impl Drop for LocalChain {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.anvil.kill();
        let _ = self.anvil.wait();
    }
}

/// Starts a chain and has the stack's command make it ready. What each container is told stands beside it.
pub(crate) fn start(
    directory: &StackDirectory,
    fleet: &Fleet,
    printer: Printer,
) -> Result<(LocalChain, Variables), Failure> {
    let toml = karma_toml::read(directory.path())?;
    let command = toml.prepare_chain.ok_or_else(no_command)?;
    let anvil = find("anvil").ok_or_else(not_installed)?;
    let containers = containers(fleet);
    let file = directory.state().join("chain.json");
    // One account makes the contracts, each container has one, and one is the user's.
    let mut chain = LocalChain::spawn(&anvil, &file, containers.len() + 2)?;
    let accounts = chain.accounts(&file);
    // The keys are worth little, but they are keys.
    let _ = fs::remove_file(&file);
    let accounts = accounts?;
    let prepared = prepare(&command, &toml.root, &chain.url(), &accounts)?;
    printer.talk(&format!("chain: {}", prepared.summary));
    printer.talk(&format!("chain: anvil answers at {}", chain.url()));
    let mut variables = variables(containers, &accounts, &prepared);
    if let Some(visitor) = variables.remove(VISITOR) {
        let file = visitors_file(directory);
        write_environment(&file, &visitor)
            .map_err(|error| Failure::caused_by(format!("cannot write {}", file.display()), &error))?;
        printer.talk(&format!("chain: an account of yours is in {}", file.display()));
    }
    Ok((chain, variables))
}

impl LocalChain {
    /// Where it can, anvil is told to end with the thread that starts it, which is the one that `main` runs on: no `kill -9` leaves it behind.
    fn spawn(anvil: &Path, file: &Path, accounts: usize) -> Result<Self, Failure> {
        let cannot = |error: io::Error| Failure::caused_by(format!("cannot run {}", anvil.display()), &error);
        let port = free_port().map_err(cannot)?;
        create_private(file).map_err(cannot)?;
        let mut command = match find("setpriv") {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(anvil);
                command
            }
            None => Command::new(anvil),
        };
        command
            .args(["--silent", "--chain-id", CHAIN_ID, "--mnemonic-random", "12"])
            .args(["--port", &port.to_string(), "--accounts", &accounts.to_string()])
            .arg("--config-out")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let anvil = command.spawn().map_err(cannot)?;
        Ok(Self { anvil, port })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until it answers and has written its accounts down.
    fn accounts(&mut self, file: &Path) -> Result<Accounts, Failure> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Ok(Some(status)) = self.anvil.try_wait() {
                return Err(Failure::unable(format!("anvil has ended ({status})")));
            }
            let answers = TcpStream::connect(("127.0.0.1", self.port)).is_ok();
            let accounts = fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok());
            if let Some(accounts) = accounts.filter(|_| answers) {
                return Ok(accounts);
            }
            sleep(LOOK_AGAIN);
        }
        Err(Failure::unable(format!(
            "anvil does not answer after {} s",
            PATIENCE.as_secs()
        )))
    }
}

/// Runs the stack's command with the first account's key, and the others' addresses as its last arguments.
fn prepare(command: &[String], root: &Path, url: &str, accounts: &Accounts) -> Result<Prepared, Failure> {
    let shown = command.join(" ");
    let (Some((program, arguments)), Some(key)) = (command.split_first(), accounts.private_keys.first()) else {
        return Err(no_command());
    };
    let output = Command::new(root.join(program))
        .args(arguments)
        .args(accounts.addresses.iter().skip(1))
        .current_dir(root)
        .envs([("CHAIN_RPC_URL", url), ("CHAIN_ID", CHAIN_ID), ("PRIVATE_KEY", key)])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::caused_by(format!("cannot run `{shown}`"), &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::unable(format!("`{shown}` failed: {}", said.trim())));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::caused_by(format!("`{shown}` does not print what it should"), &error))
}

/// The same for every container and for the visitor, but the key.
fn variables(containers: BTreeSet<String>, accounts: &Accounts, prepared: &Prepared) -> Variables {
    let keys = accounts.private_keys.iter().skip(1);
    let told = |(container, key): (String, &String)| {
        let mut environment = prepared.environment.clone();
        environment.insert("PRIVATE_KEY".to_owned(), key.clone());
        (container, environment)
    };
    let visitor = [VISITOR.to_owned()];
    containers.into_iter().chain(visitor).zip(keys).map(told).collect()
}

/// The containers' names, each once.
fn containers(fleet: &Fleet) -> BTreeSet<String> {
    let definitions = fleet.task_definitions.values();
    let containers = definitions.flat_map(|definition| &definition.containers);
    containers.map(|container| container.name.clone()).collect()
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    directories.push(PathBuf::from("node_modules/.bin"));
    let mut candidates = directories.into_iter().map(|directory| directory.join(program));
    candidates.find(|candidate| candidate.is_file())
}

fn not_installed() -> Failure {
    Failure::unable("anvil is not installed: it is neither in PATH nor in ./node_modules/.bin")
        .hint("npm install --no-save @foundry-rs/anvil-linux-amd64 (or -arm64)")
        .hint("or all of Foundry: https://getfoundry.sh")
}

fn no_command() -> Failure {
    Failure::unable(format!("{} does not say how a chain is made ready", karma_toml::FILE_NAME)).hint(
        "write `prepare = [\"program\", \"argument\"]` below [chain]; it prints {\"summary\": …, \"environment\": {…}} as JSON",
    )
}

/// The settings of the visitor's account, as the last run with a chain has left them; none where there was no such run.
pub(crate) fn visitor(directory: &StackDirectory) -> Result<BTreeMap<String, String>, Failure> {
    let file = visitors_file(directory);
    match fs::read_to_string(&file) {
        Ok(text) => Ok(text.lines().filter_map(read_variable).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(Failure::caused_by(format!("cannot read {}", file.display()), &error)),
    }
}

fn visitors_file(directory: &StackDirectory) -> PathBuf {
    directory.state().join("chain.env")
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()
        .map(|address| address.port())
}

/// An empty file that nobody else can read.
fn create_private(file: &Path) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map(drop)
}

/// As a shell reads it.
fn write_environment(file: &Path, variables: &BTreeMap<String, String>) -> io::Result<()> {
    create_private(file)?;
    let line = |(name, value): (&String, &String)| format!("export {name}='{}'\n", value.replace('\'', r"'\''"));
    fs::write(file, variables.iter().map(line).collect::<String>())
}

/// What such a line says.
fn read_variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
    let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
    Some((name.to_owned(), value.replace(r"'\''", "'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_container_has_a_key_of_its_own_and_nobody_the_first() {
        let names = ["a", "b"].map(str::to_owned);
        let accounts = Accounts {
            addresses: ["0xa0", "0xa1", "0xa2", "0xa3"].map(str::to_owned).into(),
            private_keys: ["0xk0", "0xk1", "0xk2", "0xk3"].map(str::to_owned).into(),
        };
        let prepared = Prepared {
            summary: String::new(),
            environment: [("TOKEN_ADDRESS".to_owned(), "0xt".to_owned())].into(),
        };
        let told = variables(names.into(), &accounts, &prepared);
        let check = |container: &str, variable: &str, expected: &str| assert_eq!(told[container][variable], expected);
        check("a", "PRIVATE_KEY", "0xk1");
        check("b", "PRIVATE_KEY", "0xk2");
        check("b", "TOKEN_ADDRESS", "0xt");
        check(VISITOR, "PRIVATE_KEY", "0xk3");
    }

    #[test]
    fn the_file_of_keys_is_for_nobody_else() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("state/chain.json");
        for _ in 0..2 {
            create_private(&file).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_the_visitor_is_told_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let stack = StackDirectory::resolve(Some(directory.path())).ok().unwrap();
        assert!(visitor(&stack).ok().unwrap().is_empty());
        let variables = [("CHAIN_ID", "31337"), ("NAME", "it's = 'a'")];
        let variables = variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        write_environment(&visitors_file(&stack), &variables).unwrap();
        assert_eq!(visitor(&stack).ok().unwrap(), variables);
    }

    #[test]
    fn a_command_that_fails_says_why() {
        let accounts = Accounts {
            addresses: vec!["0xa0".to_owned(), "0xa1".to_owned()],
            private_keys: vec!["0xk0".to_owned(), "0xk1".to_owned()],
        };
        let run = |script: &str| {
            let command = ["/bin/sh", "-c", script, "sh"].map(str::to_owned);
            prepare(&command, Path::new("/"), "http://127.0.0.1:1", &accounts)
        };
        let prepared = run(r#"echo "{\"summary\": \"$1 $CHAIN_ID\", \"environment\": {\"K\": \"$PRIVATE_KEY\"}}""#);
        let prepared = prepared.ok().unwrap();
        assert_eq!(
            (prepared.summary.as_str(), prepared.environment["K"].as_str()),
            ("0xa1 31337", "0xk0")
        );
        let check = |script: &str, expected: &str| {
            let failure = run(script).err().unwrap().render();
            assert!(failure.contains(expected), "{failure}");
        };
        check("echo 'no chain' >&2; exit 2", "failed: no chain");
        check("echo nonsense", "does not print what it should");
    }
}
