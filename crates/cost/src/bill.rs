//! [`Bill`]: a month, line by line.

use std::fmt;

use jiff::civil::Date;
use karma_terraform::Address;
use serde::{Serialize, Serializer};

use crate::{Estimate, PriceDate, Quantity, Rate, Usd};

/// What a stack costs in a month of 730 hours, before tax.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bill {
    /// The version of this shape: it grows when a name goes or changes its meaning.
    pub schema: u32,
    /// The region whose prices these are.
    pub region: String,
    /// What was assumed of the month, for lines by use.
    pub assumptions: Vec<Assumption>,
    /// The lines, by group and resource.
    pub components: Vec<CostComponent>,
    /// What of the stack costs something that is not in the totals.
    pub unpriced: Vec<Unpriced>,
    /// Resources that cost nothing by themselves.
    #[serde(serialize_with = "addresses")]
    pub free: Vec<Address>,
    /// What each group adds up to.
    pub subtotals: Vec<Subtotal>,
    /// What everything adds up to.
    pub totals: Totals,
}

/// One line of a bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostComponent {
    /// What it is for.
    pub group: Group,
    /// The resource that causes it.
    #[serde(serialize_with = "address")]
    pub resource: Address,
    /// What is paid for.
    pub name: &'static str,
    /// How much of it.
    pub quantity: Estimate<Quantity>,
    /// What one costs, by which price, of which day.
    pub rate: Rate,
    /// Whether it comes with the stack or with its use.
    pub basis: Basis,
    /// What the quantity is made of.
    pub because: String,
    /// How much of the quantity is always free, for an account that has nothing else.
    pub free_quantity: Estimate<Quantity>,
    /// What it costs.
    #[serde(flatten)]
    pub cost: Totals,
}

/// The two prices of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// At list price.
    pub list: Estimate<Usd>,
    /// With what AWS always gives every account for free, and no trial or credit.
    /// <https://aws.amazon.com/free/>
    pub with_free_tier: Estimate<Usd>,
}

/// What a group of lines adds up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subtotal {
    /// The group.
    pub group: Group,
    /// Its sum.
    #[serde(flatten)]
    pub cost: Totals,
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Tasks and machines.
    Compute,
    /// Gateways, endpoints, addresses, bytes.
    Network,
    /// Load balancers.
    LoadBalancing,
    /// Logs, metrics, alarms, traces.
    Observability,
    /// Images and objects.
    Storage,
    /// Secrets.
    Security,
}

/// Why a line is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// It comes with the stack, used or not.
    Fixed,
    /// It comes with requests and bytes: an assumption.
    Usage,
}

/// Something that was assumed of the month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// Its name in the usage file.
    pub name: &'static str,
    /// How much.
    pub value: Quantity,
    /// What it is a number of.
    pub meaning: &'static str,
}

/// Something that costs money and has no price here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unpriced {
    /// The resource.
    #[serde(serialize_with = "address")]
    pub resource: Address,
    /// What of it has no price, and why.
    pub why: String,
}

impl Group {
    /// All groups, in the order of a bill.
    pub const ALL: [Self; 6] = [
        Self::Compute,
        Self::Network,
        Self::LoadBalancing,
        Self::Observability,
        Self::Storage,
        Self::Security,
    ];
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Compute => "Compute",
            Self::Network => "Network",
            Self::LoadBalancing => "Load balancing",
            Self::Observability => "Observability",
            Self::Storage => "Storage",
            Self::Security => "Security",
        })
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fixed => "fixed",
            Self::Usage => "usage",
        })
    }
}

impl Bill {
    /// Puts lines in order and adds them up.
    pub(crate) fn of(region: String, assumptions: Vec<Assumption>, mut components: Vec<CostComponent>) -> Self {
        components.sort_by(|one, other| (one.group, &one.resource).cmp(&(other.group, &other.resource)));
        let subtotal = |group| Subtotal {
            group,
            cost: components
                .iter()
                .filter(|line| line.group == group)
                .map(|line| line.cost)
                .sum(),
        };
        let subtotals = Group::ALL.map(subtotal).to_vec();
        let totals = subtotals.iter().map(|subtotal| subtotal.cost).sum();
        Self {
            schema: 1,
            region,
            assumptions,
            components,
            unpriced: Vec::new(),
            free: Vec::new(),
            subtotals,
            totals,
        }
    }

    /// The lines of one group.
    pub fn group(&self, group: Group) -> impl Iterator<Item = &CostComponent> {
        self.components.iter().filter(move |line| line.group == group)
    }

    /// The day of the oldest and of the newest price in it; `None` for a bill without a line.
    pub fn price_dates(&self) -> Option<(&PriceDate, &PriceDate)> {
        let dates = || self.components.iter().map(|line| &line.rate.as_of);
        let earliest = |date: &&PriceDate| date.earliest();
        Some((dates().min_by_key(earliest)?, dates().max_by_key(earliest)?))
    }

    /// Lines at a floating price that was last seen too long before this day to be relied upon.
    pub fn stale(&self, today: Date) -> impl Iterator<Item = &CostComponent> {
        self.components.iter().filter(move |line| line.rate.is_stale(today))
    }
}

impl std::ops::Add for Totals {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            list: self.list + other.list,
            with_free_tier: self.with_free_tier + other.with_free_tier,
        }
    }
}

impl std::iter::Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), std::ops::Add::add)
    }
}

fn address<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(address)
}

fn addresses<S: Serializer>(addresses: &[Address], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(addresses.iter().map(ToString::to_string))
}
