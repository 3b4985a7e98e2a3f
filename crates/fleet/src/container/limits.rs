//! What a container may use of its task.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>

use karma_terraform::Value;

use crate::attributes::{Attributes, Read};
use crate::from_value::FromValue;

/// What a container may use of its task; what is not given is bounded by the task alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContainerLimits {
    /// `cpu`: CPU units that are kept for it. It may use more while the others of its task do not need theirs.
    pub cpu: Option<u32>,
    /// `memory`: MiB; a container that wants more is killed.
    pub memory: Option<u32>,
    /// `memoryReservation`: MiB that are kept for it.
    pub memory_reservation: Option<u32>,
    /// `ulimits`
    pub ulimits: Vec<Ulimit>,
}

/// A limit of the kernel's on each process of a container.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ulimit {
    /// What it limits: `nofile`.
    pub name: UlimitName,
    /// What a process begins with.
    pub soft: u64,
    /// How far it may raise that by itself.
    pub hard: u64,
}

macro_rules! ulimit_names {
    ($($name:literal => $variant:ident),+ $(,)?) => {
        /// What a [`Ulimit`] limits.
        /// <https://man7.org/linux/man-pages/man2/getrlimit.2.html>
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum UlimitName {
            $(#[doc = concat!("`", $name, "`")] $variant),+
        }

        impl UlimitName {
            /// As ECS writes it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl FromValue for UlimitName {
            const EXPECTED: &'static str = "a limit of the kernel's, like `nofile`";
            fn from_value(value: &Value) -> Option<Self> {
                match value.as_str()? { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

ulimit_names! {
    "core" => Core,
    "cpu" => Cpu,
    "data" => Data,
    "fsize" => FileSize,
    "locks" => Locks,
    "memlock" => LockedMemory,
    "msgqueue" => MessageQueues,
    "nice" => Nice,
    "nofile" => OpenFiles,
    "nproc" => Processes,
    "rss" => ResidentMemory,
    "rtprio" => RealTimePriority,
    "rttime" => RealTime,
    "sigpending" => PendingSignals,
    "stack" => Stack,
}

impl ContainerLimits {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let set = |name| from.optional::<u32>(name).filter(|value| *value > 0);
        Ok(Self {
            cpu: set("cpu"),
            memory: set("memory"),
            memory_reservation: set("memoryReservation"),
            ulimits: from.each("ulimits", Ulimit::read)?,
        })
    }
}

impl Ulimit {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        let (name, soft, hard) = (
            from.required("name"),
            from.required::<Bound>("softLimit"),
            from.required::<Bound>("hardLimit"),
        );
        Ok(Self {
            name: name?,
            soft: soft?.0,
            hard: hard?.0,
        })
    }
}

/// `-1` is no limit.
struct Bound(u64);

impl FromValue for Bound {
    const EXPECTED: &'static str = "a whole number, or -1 for no limit";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_number()?.as_i128()? {
            -1 => Some(Self(u64::MAX)),
            number => number.try_into().ok().map(Self),
        }
    }
}
