//! The contender that a line of the list becomes.

use conformance::case::{Answer, Case};
use conformance::evaluate::EvaluateError;
use conformance::laws::Law;
use conformance::ledger::LedgerCase;
use mm::{BlockIo, KernelVersion};
use results::look::Look;

use crate::table::Stamped;

/// The kind of a contender.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A model of a way to describe memory.
    Model,
    /// The overhead of the harness: it does no work, and its answers mean nothing.
    Floor,
}

/// Who takes part.
#[derive(Debug)]
pub struct Contender {
    /// The name on the command line and in records.
    pub name: &'static str,
    /// The idea in one line.
    pub idea: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The crate it lives in, as the compiler spells it.
    pub package: &'static str,
    /// Its type in that crate.
    pub type_name: &'static str,
    /// The kernel whose rules it follows unless asked otherwise.
    pub rules: KernelVersion,
    /// How it is drawn.
    pub look: Look,
    /// The workloads whose cost for one allocation does not depend on its order.
    pub order_invariant: &'static [&'static str],
    /// The contender that keeps the very same descriptors.
    pub variant_of: Option<&'static str>,
    /// The real kernel that it claims to describe, by its name as a contender.
    pub referee: Option<&'static str>,
    /// Kernels that are built to do what it does when asked with a parameter: the parameter, its
    /// value, the kernel.
    pub asked_referees: &'static [(&'static str, &'static str, &'static str)],
    /// Why it lacks capabilities that it could have.
    pub lacks: Option<&'static str>,
    /// Its loops, by the kernel whose rules apply; its own rules first.
    #[doc(hidden)]
    pub runs: &'static [Run],
}

impl Contender {
    /// Whether it does no work.
    pub fn is_floor(&self) -> bool {
        self.kind == Kind::Floor
    }
}

/// The loops of a contender under the rules of one kernel.
#[doc(hidden)]
#[derive(Debug)]
pub struct Run {
    pub rules: KernelVersion,
    /// One table for each capability.
    pub loops: &'static [&'static [Stamped]],
}

/// The laws and answers of a contender. Apart from [`Contender`], so that a program that never asks
/// is linked without the laws.
#[derive(Debug)]
pub struct Held {
    /// The contender's name.
    pub name: &'static str,
    /// Its laws, one list for each capability; none for the floor.
    #[doc(hidden)]
    pub by_capability: &'static [&'static [Law]],
    /// How it answers cases, one for each capability that answers any.
    #[doc(hidden)]
    pub answers: &'static [Option<Cases>],
    /// How it keeps ledgers, one for each capability that keeps any.
    #[doc(hidden)]
    pub ledgers: &'static [Option<Ledger>],
}

/// How a design takes the steps of a case about accounting and lists, its type erased.
pub type Ledger = fn(&LedgerCase) -> Result<Vec<String>, String>;

impl Held {
    /// Every law that it is held to.
    pub fn laws(&self) -> impl Iterator<Item = &'static Law> {
        self.by_capability.iter().copied().flatten()
    }

    /// How it keeps ledgers; `None` where it has no LRU lists.
    pub fn ledger(&self) -> Option<Ledger> {
        self.ledgers.iter().flatten().next().copied()
    }

    /// How it answers cases; `None` where it does no block IO.
    pub fn cases(&self) -> Option<&'static Cases> {
        self.answers.iter().flatten().next()
    }
}

/// How a design answers cases, its type erased.
#[derive(Debug)]
pub struct Cases {
    /// Whether a bio_vec ends with its page, as before v5.1: then only the rules of 5.0
    /// apply to it, and to no other design.
    pub single_page_vecs: bool,
    /// Whether its vecs name whole allocations.
    pub names_units: bool,
    /// Its answer to a case.
    pub evaluate: fn(&Case) -> Result<Answer, EvaluateError>,
    /// The same beside a real kernel: `None` where it does not claim to know.
    pub answer: fn(&Case) -> Option<Answer>,
}

impl Cases {
    #[doc(hidden)]
    pub const fn of<D: BlockIo>() -> Self {
        Self {
            single_page_vecs: D::SINGLE_PAGE_VECS,
            names_units: D::NAMES_UNITS,
            evaluate: conformance::evaluate::evaluate::<D>,
            answer: conformance::claim::answer_of::<D>,
        }
    }

    /// Whether the question can be put to the design: it is run under the rules of the case, and
    /// the answer does not depend on its vecs naming something other than the kernel's do.
    pub fn supports(&self, case: &Case) -> bool {
        (case.rules == KernelVersion::V5_0) == self.single_page_vecs
            && !(self.names_units && conformance::reference::depends_on_names(case))
    }
}

/// Makes contenders of lines, which `contenders.rs` describes: the statics `CONTENDERS` and
/// `HELD`, in the order of the lines.
#[macro_export]
macro_rules! contenders {
    ($((
        $kind:ident $package:ident :: $design:ident:
        $rules:ident [$($capability:ident)+] $($other:ident [$($of_other:ident)+])*,
        drawn $letter:literal $colour:ident $marker:ident $dash:ident $(as $short:literal)?
        $(, order-invariant $loops:expr)?
        $(, variant of $variant:literal)?
        $(, refereed by $referee:literal $(and with $param:ident = $value:ident by $asked:literal)*)?
        $(, lacks $lacks:literal)?
    ))+) => {
        /// The contenders.
        pub static CONTENDERS: &[$crate::Contender] = &[$(
            $crate::Contender {
                name: <$package::$design as $crate::line::Design>::NAME,
                idea: <$package::$design as $crate::line::Design>::IDEA,
                kind: $crate::contenders!(@kind $kind $package::$design),
                package: stringify!($package),
                type_name: stringify!($design),
                rules: <$crate::line::$rules as $crate::line::KernelRules>::VERSION,
                look: $crate::line::Look {
                    name: <$package::$design as $crate::line::Design>::NAME,
                    short: $crate::contenders!(@or None $(, Some($short))?),
                    letter: $letter,
                    colour: $crate::line::palette::$colour,
                    marker: $crate::line::Marker::$marker,
                    dash: $crate::line::Dash::$dash,
                    referee: $crate::contenders!(@or None $(, Some($referee))?),
                },
                order_invariant: $crate::contenders!(@or &[] $(, $loops)?),
                variant_of: $crate::contenders!(@or None $(, Some($variant))?),
                referee: $crate::contenders!(@or None $(, Some($referee))?),
                asked_referees: &[
                    $($((stringify!($param), stringify!($value), $asked),)*)?
                ],
                lacks: $crate::contenders!(@or None $(, Some($lacks))?),
                runs: &[
                    $crate::contenders!(@run $package::$design, $rules $($capability)+),
                    $($crate::contenders!(@run $package::$design, $other $($of_other)+),)*
                ],
            },
        )+];

        /// Their laws.
        pub static HELD: &[$crate::Held] = &[$(
            $crate::contenders!(@held $kind $package::$design, $($capability)+),
        )+];
    };
    (@kind model $design:ty) => {
        const {
            assert!(!<$design as $crate::line::Design>::IS_FLOOR);
            $crate::Kind::Model
        }
    };
    (@kind floor $design:ty) => {
        const {
            assert!(<$design as $crate::line::Design>::IS_FLOOR);
            $crate::Kind::Floor
        }
    };
    (@or $default:expr) => { $default };
    (@or $default:expr, $given:expr) => { $given };
    (@run $design:ty, $rules:ident $($capability:ident)+) => {
        $crate::line::Run {
            rules: <$crate::line::$rules as $crate::line::KernelRules>::VERSION,
            loops: &[$(const {
                &$crate::table::$capability::<$design, $crate::line::$rules>()
            }),+],
        }
    };
    (@held model $design:ty, $($capability:ident)+) => {
        $crate::Held {
            name: <$design as $crate::line::Design>::NAME,
            by_capability: &[$(const { &$crate::line::laws::$capability::<$design>() }),+],
            answers: &[$($crate::contenders!(@cases $capability $design)),+],
            ledgers: &[$($crate::contenders!(@ledger $capability $design)),+],
        }
    };
    (@held floor $design:ty, $($capability:ident)+) => {
        $crate::Held {
            name: <$design as $crate::line::Design>::NAME,
            by_capability: &[],
            answers: &[],
            ledgers: &[],
        }
    };
    (@cases block $design:ty) => { Some($crate::Cases::of::<$design>()) };
    (@cases $capability:ident $design:ty) => { None };
    (@ledger lru $design:ty) => { Some($crate::line::ledger::<$design>) };
    (@ledger $capability:ident $design:ty) => { None };
}
