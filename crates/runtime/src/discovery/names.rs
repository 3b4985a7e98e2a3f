//! [`Names`]: what tasks are told of the Service Connect names.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::net::Ipv4Addr;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use karma_fleet::ServiceConnect;

use super::Namespace;

/// The addresses of the names, by namespace. As on ECS, a task keeps those that it was started with.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: RwLock<Known>,
    /// This machine's own `/etc/hosts`.
    machine: String,
    /// This machine's own `/etc/nsswitch.conf`, where it has one.
    switch: Option<String>,
}

#[derive(Debug, Default)]
struct Known {
    namespaces: BTreeMap<Namespace, BTreeMap<String, Ipv4Addr>>,
    proxies: BTreeMap<Namespace, String>,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self {
            machine: fs::read_to_string("/etc/hosts").unwrap_or_else(|_| "127.0.0.1 localhost\n".to_owned()),
            switch: fs::read_to_string("/etc/nsswitch.conf").ok(),
            ..Self::default()
        }
    }

    pub(super) fn insert(&self, namespace: Namespace, dns_name: String, address: Ipv4Addr) {
        let mut known = self.change();
        known.namespaces.entry(namespace).or_default().insert(dns_name, address);
    }

    pub(super) fn remove(&self, namespace: &Namespace, dns_name: &str) -> Option<Ipv4Addr> {
        self.change().namespaces.get_mut(namespace)?.remove(dns_name)
    }

    pub(super) fn set_proxy(&self, namespace: Namespace, url: String) {
        self.change().proxies.insert(namespace, url);
    }

    pub(super) fn namespaces(&self) -> Vec<Namespace> {
        self.known().namespaces.keys().cloned().collect()
    }

    pub(super) fn of(&self, namespace: &Namespace) -> BTreeMap<String, Ipv4Addr> {
        self.known().namespaces.get(namespace).cloned().unwrap_or_default()
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files that a service's tasks have over those of `/etc`.
    pub(crate) fn etc(&self, connect: Option<&ServiceConnect>) -> Vec<(&'static str, String)> {
        let switch = self.switch.iter().map(|switch| ("nsswitch.conf", files_first(switch)));
        switch.chain([("hosts", self.hosts(connect))]).collect()
    }

    /// The names that a service's tasks have for others, with their addresses.
    pub(crate) fn known_to(&self, connect: Option<&ServiceConnect>) -> BTreeMap<String, Ipv4Addr> {
        connect.map(|connect| self.of(&connect.namespace)).unwrap_or_default()
    }

    /// The names come first, since the first line with a name wins.
    fn hosts(&self, connect: Option<&ServiceConnect>) -> String {
        let names = self.known_to(connect);
        let mut hosts = String::new();
        for (name, address) in names {
            writeln!(hosts, "{address} {name}").expect("a string takes any text");
        }
        hosts + &self.machine
    }

    /// The variables that lead a service's tasks to the names where they have no `/etc/hosts` of their own.
    pub(crate) fn proxy_variables(&self, connect: Option<&ServiceConnect>) -> Vec<(&'static str, String)> {
        let url = connect.and_then(|connect| self.known().proxies.get(&connect.namespace).cloned());
        let Some(url) = url else {
            return Vec::new();
        };
        let no_proxy = "localhost,127.0.0.1".to_owned();
        vec![
            ("HTTP_PROXY", url.clone()),
            ("http_proxy", url.clone()),
            ("NO_PROXY", no_proxy.clone()),
            ("no_proxy", no_proxy),
        ]
    }
}

/// Some machines ask a daemon for names, which knows the machine's `/etc/hosts` only. A task looks into its own first, as in a container.
/// <https://man7.org/linux/man-pages/man5/nsswitch.conf.5.html>
fn files_first(switch: &str) -> String {
    let others = switch.lines().filter(|line| !line.trim_start().starts_with("hosts:"));
    others
        .chain(["hosts: files dns"])
        .flat_map(|line| [line, "\n"])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member_of(namespace: &str) -> ServiceConnect {
        ServiceConnect {
            namespace: Some(namespace.to_owned()),
            services: vec![],
        }
    }

    #[test]
    fn a_service_sees_the_names_of_its_namespace_before_the_machines_own() {
        let mut names = Names::new();
        names.machine = "127.0.0.1 localhost\n".to_owned();
        names.insert(Some("a".to_owned()), "hello".to_owned(), Ipv4Addr::new(127, 255, 0, 1));
        names.insert(Some("b".to_owned()), "other".to_owned(), Ipv4Addr::new(127, 255, 0, 2));
        assert_eq!(
            names.hosts(Some(&member_of("a"))),
            "127.255.0.1 hello\n127.0.0.1 localhost\n"
        );
        assert_eq!(names.hosts(None), "127.0.0.1 localhost\n");
    }

    #[test]
    fn a_task_asks_its_files_before_any_daemon() {
        let switch = "passwd: files systemd\nhosts: mymachines resolve [!UNAVAIL=return] files dns\n";
        assert_eq!(files_first(switch), "passwd: files systemd\nhosts: files dns\n");
    }
}
