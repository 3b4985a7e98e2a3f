//! [`Inventory`]: a stack, as far as it costs something.

use std::collections::BTreeMap;

use karma_terraform::{Address, Mode, ResourceInstance, Stack};

use crate::Quantity;
use crate::attributes::Attributes;
use crate::service::Service;

/// A stack's resources by kind, and its services.
pub(crate) struct Inventory<'a> {
    by_kind: BTreeMap<&'a str, Vec<Resource<'a>>>,
    pub(crate) services: Vec<Service<'a>>,
}

/// One resource of a stack.
#[derive(Clone, Copy)]
pub(crate) struct Resource<'a> {
    pub(crate) address: &'a Address,
    pub(crate) attributes: Attributes<'a>,
}

/// How tasks reach the internet.
pub(crate) enum WayOut<'a> {
    /// Through these NAT gateways.
    NatGateways(Vec<&'a Address>),
    /// Through these machines.
    NatInstances(Vec<&'a Address>),
    /// Each task of these services by itself.
    PublicAddresses(Vec<&'a Address>),
    /// Not at all, as far as the stack says.
    None,
}

impl<'a> Inventory<'a> {
    pub(crate) fn of(stack: &'a Stack) -> Self {
        let mut by_kind = BTreeMap::<_, Vec<_>>::new();
        for instance in stack.resources.values().filter(|it| it.address.mode == Mode::Managed) {
            by_kind
                .entry(instance.address.kind.as_str())
                .or_default()
                .push(Resource::of(instance));
        }
        Self {
            by_kind,
            services: Service::all(stack),
        }
    }

    /// Every resource, by kind and address.
    pub(crate) fn resources(&self) -> impl Iterator<Item = Resource<'a>> {
        self.by_kind.values().flatten().copied()
    }

    /// The resources of one kind.
    pub(crate) fn kind(&self, kind: &str) -> &[Resource<'a>] {
        self.by_kind.get(kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// An equal part, for each resource of a kind, of what is used by all of them.
    pub(crate) fn part(&self, whole: Quantity, kind: &str) -> Quantity {
        whole.per(count(self.kind(kind).len()))
    }

    /// The service with this address.
    pub(crate) fn service(&self, address: &Address) -> Option<&Service<'a>> {
        let found = self.services.binary_search_by(|service| service.address.cmp(address));
        found.ok().map(|index| &self.services[index])
    }

    /// Interface endpoints, which are paid for; gateway endpoints are free.
    pub(crate) fn interface_endpoints(&self) -> impl Iterator<Item = &Resource<'a>> {
        self.kind("aws_vpc_endpoint")
            .iter()
            .filter(|endpoint| endpoint.is_interface_endpoint())
    }

    /// A stack with several ways out uses the first of these.
    pub(crate) fn way_out(&self) -> WayOut<'a> {
        let addresses =
            |resources: Vec<&Resource<'a>>| resources.iter().map(|resource| resource.address).collect::<Vec<_>>();
        let gateways = addresses(
            self.kind("aws_nat_gateway")
                .iter()
                .filter(|it| it.is_public_nat_gateway())
                .collect(),
        );
        if !gateways.is_empty() {
            return WayOut::NatGateways(gateways);
        }
        let instances = addresses(
            self.kind("aws_instance")
                .iter()
                .filter(|it| it.passes_traffic_on())
                .collect(),
        );
        if !instances.is_empty() {
            return WayOut::NatInstances(instances);
        }
        let public = self.services.iter().filter(|service| service.has_public_addresses);
        let public: Vec<_> = public.map(|service| service.address).collect();
        if public.is_empty() {
            WayOut::None
        } else {
            WayOut::PublicAddresses(public)
        }
    }
}

impl<'a> Resource<'a> {
    fn of(instance: &'a ResourceInstance) -> Self {
        Self {
            address: &instance.address,
            attributes: Attributes::of(&instance.attributes),
        }
    }

    /// <https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html>; Terraform makes a gateway where nothing is said.
    pub(crate) fn is_interface_endpoint(&self) -> bool {
        self.attributes.text("vpc_endpoint_type") == Some("Interface")
    }

    fn is_public_nat_gateway(&self) -> bool {
        self.attributes.text("connectivity_type") != Some("private")
    }

    /// A machine that does not check whether packets are its own passes them on.
    fn passes_traffic_on(&self) -> bool {
        let check = self.attributes.value("source_dest_check");
        check.and_then(karma_terraform::Value::as_bool) == Some(false)
    }
}

/// How many there are.
pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
