//! [`Biller`]: takes down what every resource has used, and what of it has no price.

use std::collections::BTreeMap;

use karma_terraform::Address;

use crate::inventory::Inventory;
use crate::meter::{Allowance, Meter};
use crate::{Assumption, Basis, Bill, CostComponent, Estimate, PriceBook, Quantity, Totals, Unpriced, Usage};

/// A bill in the making.
pub(crate) struct Biller<'a> {
    pub(crate) inventory: &'a Inventory<'a>,
    pub(crate) usage: &'a Usage,
    prices: &'a PriceBook,
    components: Vec<CostComponent>,
    unpriced: Vec<Unpriced>,
    free: Vec<Address>,
    /// How far each meter has run: tiers are the account's, not the resource's.
    counted: BTreeMap<&'static str, Estimate<Quantity>>,
    /// How much of each allowance is gone.
    spent: BTreeMap<Allowance, Estimate<Quantity>>,
}

/// A line of a bill before it is known how much.
struct Line<'l> {
    resource: &'l Address,
    meter: &'static Meter,
    basis: Basis,
    because: String,
}

impl<'a> Biller<'a> {
    pub(crate) fn new(inventory: &'a Inventory<'a>, usage: &'a Usage, prices: &'a PriceBook) -> Self {
        Self {
            inventory,
            usage,
            prices,
            components: Vec::new(),
            unpriced: Vec::new(),
            free: Vec::new(),
            counted: BTreeMap::new(),
            spent: BTreeMap::new(),
        }
    }

    /// A line that comes with the stack.
    pub(crate) fn fixed(
        &mut self,
        resource: &Address,
        meter: &'static Meter,
        quantity: Estimate<Quantity>,
        because: impl Into<String>,
    ) {
        let line = Line {
            resource,
            meter,
            basis: Basis::Fixed,
            because: because.into(),
        };
        self.charge(&line, quantity);
    }

    /// A line that comes with the use of the stack.
    pub(crate) fn by_use(
        &mut self,
        resource: &Address,
        meter: &'static Meter,
        quantity: Quantity,
        because: impl Into<String>,
    ) {
        let line = Line {
            resource,
            meter,
            basis: Basis::Usage,
            because: because.into(),
        };
        self.charge(&line, Estimate::certain(quantity));
    }

    /// Something that costs money, and how much is not known here.
    pub(crate) fn unpriced(&mut self, resource: &Address, why: impl Into<String>) {
        self.unpriced.push(Unpriced {
            resource: resource.clone(),
            why: why.into(),
        });
    }

    /// A resource that AWS does not charge for.
    pub(crate) fn free(&mut self, resource: &Address) {
        self.free.push(resource.clone());
    }

    pub(crate) fn finish(self) -> Bill {
        let assumption = |(name, value, meaning)| Assumption { name, value, meaning };
        let assumptions = self.usage.assumptions().into_iter().map(assumption).collect();
        let mut bill = Bill::of(self.prices.region.clone(), assumptions, self.components);
        bill.unpriced = self.unpriced;
        bill.unpriced.sort_by(|one, other| one.resource.cmp(&other.resource));
        bill.free = self.free;
        bill
    }

    /// Splits a quantity by the tiers of its meter.
    fn charge(&mut self, line: &Line<'_>, quantity: Estimate<Quantity>) {
        let start = self.counted.get(line.meter.name).copied().unwrap_or_default();
        self.counted.insert(line.meter.name, start + quantity);
        let mut floor = Quantity::ZERO;
        for tier in line.meter.tiers {
            let within = part_of_tier(start, quantity, floor, tier.up_to);
            floor = tier.up_to.unwrap_or(0).into();
            if within != Estimate::default() {
                self.push(line, tier.sku, within);
            }
        }
    }

    fn push(&mut self, line: &Line<'_>, sku: &str, quantity: Estimate<Quantity>) {
        let Some(rate) = self.prices.rate(sku).cloned() else {
            let why = format!(
                "{}: the price book of {} has no `{sku}`",
                line.meter.name, self.prices.region
            );
            return self.unpriced(line.resource, why);
        };
        let allowance = line.meter.allowance;
        let free_quantity = allowance.map_or_else(Estimate::default, |allowance| self.spend(allowance, quantity));
        let paid = quantity.with(free_quantity, Quantity::without);
        let cost = Totals {
            list: quantity.map(|quantity| quantity.at(rate.usd)),
            with_free_tier: paid.map(|paid| paid.at(rate.usd)),
        };
        self.components.push(CostComponent {
            group: line.meter.group,
            resource: line.resource.clone(),
            name: line.meter.name,
            quantity,
            rate,
            basis: line.basis,
            because: line.because.clone(),
            free_quantity,
            cost,
        });
    }

    /// Takes as much of an allowance as there is left, for each of the three cases apart.
    fn spend(&mut self, allowance: Allowance, wanted: Estimate<Quantity>) -> Estimate<Quantity> {
        let spent = self.spent.entry(allowance).or_default();
        let left = spent.map(|spent| allowance.quantity().without(spent));
        let taken = wanted.with(left, Ord::min);
        *spent = *spent + taken;
        taken
    }
}

/// What of a quantity, counted from `start`, falls between a tier's floor and its end.
fn part_of_tier(
    start: Estimate<Quantity>,
    quantity: Estimate<Quantity>,
    floor: Quantity,
    up_to: Option<u64>,
) -> Estimate<Quantity> {
    start.with(quantity, |start, quantity| {
        let end = up_to.map_or(start + quantity, |up_to| (start + quantity).min(up_to.into()));
        end.without(start.max(floor))
    })
}
