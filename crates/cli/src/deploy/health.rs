//! Whether every service answers through the load balancer, as its users will ask it.

use std::time::Duration;

use karma_aws::Session;
use karma_fleet::{Fleet, ListenerProtocol, Service};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::event::Event;
use super::journal::Journal;
use crate::exit::ExitStatus;
use crate::failure::{Failure, chain};
use crate::printer::Style;
use crate::table::{Cell, Table};
use crate::terraform::{Output, Outputs, State};

/// The output that says where, where the stack has it: a map of addresses by service.
const OUTPUT: &str = "agent_health_check_urls";

/// A load balancer that is new is not known by its name at once.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// How long to wait before the next question.
const PAUSE: Duration = Duration::from_secs(2);

/// A service, and where it says how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HealthAddress {
    service: String,
    url: String,
}

/// How a service answers.
#[derive(Debug)]
struct Health {
    address: HealthAddress,
    /// Why it is not taken for healthy.
    trouble: Option<String>,
}

/// Where the services say how they are: as the stack says it in its outputs, else by the first rule that leads to them.
pub(crate) fn addresses(fleet: &Fleet, state: &State, outputs: &Outputs) -> Vec<HealthAddress> {
    let declared = match outputs.0.get(OUTPUT) {
        Some(Output::Shown(urls)) => urls.as_object(),
        _ => None,
    };
    let address = |service: &Service| {
        let declared = declared.and_then(|urls| urls.get(&service.label)?.as_str());
        let url = declared.map_or_else(|| by_rule(fleet, state, service), |url| Some(url.to_owned()));
        Some(HealthAddress {
            service: service.label.clone(),
            url: url?,
        })
    };
    fleet.services.values().filter_map(address).collect()
}

/// `http://NAME/validator/health`
fn by_rule(fleet: &Fleet, state: &State, service: &Service) -> Option<String> {
    let group = &service.load_balancers.first()?.target_group;
    let health = &fleet.target_groups.get(group)?.health_check.path;
    fleet.listeners.values().find_map(|listener| {
        let path = listener.path_to(group)?;
        let host = state.text(&listener.load_balancer, "dns_name")?;
        let (scheme, usual) = match listener.protocol {
            ListenerProtocol::Http => ("http", 80),
            ListenerProtocol::Https => ("https", 443),
        };
        let port = if listener.port == usual {
            String::new()
        } else {
            format!(":{}", listener.port)
        };
        Some(format!("{scheme}://{host}{port}{path}{health}"))
    })
}

/// Asks all of them until each has answered well, or time is over.
pub(crate) async fn check(
    session: &Session,
    addresses: Vec<HealthAddress>,
    journal: &Journal,
) -> Result<(ExitStatus, String), Failure> {
    let mut asked = JoinSet::new();
    for address in addresses {
        asked.spawn(ask(session.clone(), address));
    }
    let mut answers = asked.join_all().await;
    answers.sort_by(|one, other| one.address.service.cmp(&other.address.service));
    for health in &answers {
        journal.event(&health.event())?;
    }
    journal.data(&table(&answers).render(journal.printer))?;
    let healthy = answers.iter().filter(|health| health.trouble.is_none()).count();
    let status = if healthy == answers.len() {
        ExitStatus::Yes
    } else {
        ExitStatus::No
    };
    Ok((status, format!("{healthy} of {} services answer", answers.len())))
}

async fn ask(session: Session, address: HealthAddress) -> Health {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let trouble = match session.probe(&address.url, ANSWER).await {
            Ok(200..=299) => None,
            Ok(status) => Some(format!("the answer is {status}")),
            Err(error) => Some(chain(&error)),
        };
        if trouble.is_none() || Instant::now() + PAUSE > deadline {
            return Health { address, trouble };
        }
        sleep(PAUSE).await;
    }
}

fn table(answers: &[Health]) -> Table {
    let mut table = Table::new(["SERVICE", "HEALTH", "ADDRESS"]);
    for Health { address, trouble } in answers {
        let health = match trouble {
            None => Cell::styled("healthy", Style::Green),
            Some(trouble) => Cell::styled(trouble, Style::Red),
        };
        table.row([Cell::from(&address.service), health, Cell::from(&address.url)]);
    }
    table
}

impl Health {
    fn event(&self) -> Event<'_> {
        Event::Health {
            service: &self.address.service,
            url: &self.address.url,
            healthy: self.trouble.is_none(),
            reason: self.trouble.as_deref(),
        }
    }
}
