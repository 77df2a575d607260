//! The memory that instructions touch, from their decoding and the registers before each.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;

use iced_x86::{
    Code, Decoder, DecoderOptions, Instruction, InstructionInfoFactory, Mnemonic, OpAccess,
    Register, UsedMemory,
};
use nix::libc::user_regs_struct;

use super::StepError;

/// Bytes of a cache line.
const LINE: u64 = 64;

/// The instructions of a loop and the memory that they touched.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Traffic {
    /// Instructions; one with a repeat prefix counts once.
    pub instructions: u64,
    /// Loads; an operation on memory is a load and a store.
    pub loads: u64,
    /// Stores.
    pub stores: u64,
    /// Distinct cache lines (64 bytes) that were touched.
    pub lines: u64,
    /// Distinct lines that were written.
    pub written: u64,
    /// The touched lines in which descriptors lie.
    pub descriptor_lines: u64,
    /// Those of them that were written.
    pub descriptor_written: u64,
}

/// The registers of a stopped process.
pub(super) struct Machine(pub(super) user_regs_struct);

impl Machine {
    pub(super) fn rip(&self) -> u64 {
        self.0.rip
    }

    /// The value of a register that an address is formed from.
    fn of(&self, register: Register) -> Option<u64> {
        let regs = &self.0;
        Some(match register.full_register() {
            Register::RAX => regs.rax,
            Register::RBX => regs.rbx,
            Register::RCX => regs.rcx,
            Register::RDX => regs.rdx,
            Register::RSI => regs.rsi,
            Register::RDI => regs.rdi,
            Register::RBP => regs.rbp,
            Register::RSP => regs.rsp,
            Register::R8 => regs.r8,
            Register::R9 => regs.r9,
            Register::R10 => regs.r10,
            Register::R11 => regs.r11,
            Register::R12 => regs.r12,
            Register::R13 => regs.r13,
            Register::R14 => regs.r14,
            Register::R15 => regs.r15,
            Register::RIP => regs.rip,
            Register::FS => regs.fs_base,
            Register::GS => regs.gs_base,
            // Flat in this mode.
            Register::CS | Register::DS | Register::ES | Register::SS => 0,
            _ => return None,
        })
    }
}

/// An instruction with what it does to memory.
#[derive(Debug)]
pub(super) struct Decoded {
    instruction: Instruction,
    memory: Vec<UsedMemory>,
}

impl Decoded {
    fn of(bytes: &[u8], address: u64) -> Option<Self> {
        let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
        let instruction = decoder.decode();
        let memory = InstructionInfoFactory::new()
            .info(&instruction)
            .used_memory()
            .to_vec();
        (!instruction.is_invalid()).then_some(Self {
            instruction,
            memory,
        })
    }

    pub(super) fn mnemonic(&self) -> Mnemonic {
        self.instruction.mnemonic()
    }

    pub(super) fn code(&self) -> Code {
        self.instruction.code()
    }

    fn repeats(&self) -> bool {
        self.instruction.has_rep_prefix() || self.instruction.has_repne_prefix()
    }
}

/// Counts.
#[derive(Debug)]
pub(super) struct Meter {
    descriptors: Range<u64>,
    decoded: HashMap<u64, Decoded>,
    traffic: Traffic,
    touched: HashSet<u64>,
    written: HashSet<u64>,
    /// The address of the last instruction if it repeats: the host stops at each round of it.
    repeating: Option<u64>,
}

impl Meter {
    pub(super) fn new(descriptors: Range<u64>) -> Self {
        Self {
            descriptors,
            decoded: HashMap::new(),
            traffic: Traffic::default(),
            touched: HashSet::new(),
            written: HashSet::new(),
            repeating: None,
        }
    }

    /// The instruction at an address, which `read` reads when it is met first.
    pub(super) fn decoded(
        &mut self,
        address: u64,
        read: impl FnOnce() -> io::Result<[u8; 16]>,
    ) -> Result<&Decoded, StepError> {
        if let Entry::Vacant(new) = self.decoded.entry(address) {
            new.insert(Decoded::of(&read()?, address).ok_or(StepError::Unknown(address))?);
        }
        Ok(&self.decoded[&address])
    }

    /// Counts the instruction that is about to be executed, which was decoded before. The
    /// fences around the loop are the clock's.
    pub(super) fn count(&mut self, machine: &Machine) {
        let rip = machine.rip();
        let Some(at) = self.decoded.get(&rip) else {
            return;
        };
        if at.mnemonic() == Mnemonic::Lfence {
            return;
        }
        if self.repeating != Some(rip) {
            self.traffic.instructions += 1;
        }
        self.repeating = at.repeats().then_some(rip);
        // One round of a repeated instruction touches nothing when none is left.
        if at.repeats() && machine.0.rcx == 0 {
            return;
        }
        for memory in &at.memory {
            let (reads, writes) = access(memory.access());
            let address = memory.virtual_address(0, |register, _, _| machine.of(register));
            let Some(address) = address.filter(|_| reads || writes) else {
                continue;
            };
            self.traffic.loads += u64::from(reads);
            self.traffic.stores += u64::from(writes);
            let bytes = memory.memory_size().size().max(1) as u64;
            for line in address / LINE..=(address + bytes - 1) / LINE {
                self.touched.insert(line);
                if writes {
                    self.written.insert(line);
                }
            }
        }
    }

    pub(super) fn finish(self) -> Traffic {
        let of_descriptors = |lines: &HashSet<u64>| {
            let of = |line: &&u64| {
                let (first, end) = (**line * LINE, (**line + 1) * LINE);
                first < self.descriptors.end && self.descriptors.start < end
            };
            lines.iter().filter(of).count() as u64
        };
        Traffic {
            lines: self.touched.len() as u64,
            written: self.written.len() as u64,
            descriptor_lines: of_descriptors(&self.touched),
            descriptor_written: of_descriptors(&self.written),
            ..self.traffic
        }
    }
}

/// Whether memory is read, and whether it is written. What is only computed, prefetched or
/// not accessed is neither.
fn access(access: OpAccess) -> (bool, bool) {
    match access {
        OpAccess::Read | OpAccess::CondRead => (true, false),
        OpAccess::Write | OpAccess::CondWrite => (false, true),
        OpAccess::ReadWrite | OpAccess::ReadCondWrite => (true, true),
        OpAccess::None | OpAccess::NoMemAccess => (false, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: u64 = 0x6000_0000;
    const DATA: u64 = 0x7000_0000;
    const STACK: u64 = 0x7100_0000;

    /// Every pointer at [`DATA`], the stack at [`STACK`].
    fn machine(rip: u64, rcx: u64) -> Machine {
        Machine(user_regs_struct {
            r15: DATA,
            r14: DATA,
            r13: DATA,
            r12: DATA,
            rbp: DATA,
            rbx: DATA,
            r11: DATA,
            r10: DATA,
            r9: DATA,
            r8: DATA,
            rax: 0,
            rcx,
            rdx: DATA,
            rsi: DATA,
            rdi: DATA,
            orig_rax: 0,
            rip,
            cs: 0x33,
            eflags: 0,
            rsp: STACK,
            ss: 0x2b,
            fs_base: DATA,
            gs_base: 0,
            ds: 0,
            es: 0,
            fs: 0,
            gs: 0,
        })
    }

    /// Counts these instructions, each `rounds` stops long, over descriptors at [`DATA`].
    fn count(code: &[&[u8]], rounds: u64) -> Traffic {
        let mut meter = Meter::new(DATA..DATA + 2 * LINE);
        for (at, bytes) in code.iter().enumerate() {
            let rip = AT + at as u64 * 16;
            let mut all = [0x90; 16];
            all[..bytes.len()].copy_from_slice(bytes);
            for left in (0..rounds).rev() {
                meter.decoded(rip, || Ok(all)).unwrap();
                meter.count(&machine(rip, left));
            }
        }
        meter.finish()
    }

    #[test]
    fn loads_stores_and_lines_are_those_of_the_instruction() {
        let of = |code: &[u8]| count(&[code], 1);
        let (load, store) = (of(&[0x48, 0x8b, 0x07]), of(&[0x48, 0x89, 0x07]));
        assert_eq!(
            (load.loads, load.stores, load.lines, load.written),
            (1, 0, 1, 0)
        );
        assert_eq!((store.loads, store.stores, store.written), (0, 1, 1));
        assert_eq!((store.descriptor_lines, store.descriptor_written), (1, 1));
        // lock incl (%rdi)
        let both = of(&[0xf0, 0xff, 0x07]);
        assert_eq!(
            (both.loads, both.stores, both.descriptor_written),
            (1, 1, 1)
        );
        // movq 60(%rdi), %rax: across two lines.
        assert_eq!(of(&[0x48, 0x8b, 0x47, 60]).lines, 2);
        // movq 128(%rdi), %rax: behind the descriptors.
        let behind = of(&[0x48, 0x8b, 0x87, 128, 0, 0, 0]);
        assert_eq!((behind.lines, behind.descriptor_lines), (1, 0));
        // push %rax: below the stack's pointer.
        assert_eq!((of(&[0x50]).stores, of(&[0x50]).descriptor_lines), (1, 0));
    }

    #[test]
    fn addresses_that_are_formed_or_hinted_touch_nothing() {
        // lea 8(%rdi), %rax; prefetchw (%rdi); nopl (%rax)
        for code in [
            [0x48, 0x8d, 0x47, 0x08].as_slice(),
            &[0x0f, 0x0d, 0x0f],
            &[0x0f, 0x1f, 0x00],
        ] {
            let traffic = count(&[code], 1);
            assert_eq!((traffic.instructions, traffic.lines), (1, 0), "{code:x?}");
        }
        // lfence is the clock's.
        assert_eq!(count(&[&[0x0f, 0xae, 0xe8]], 1), Traffic::default());
    }

    #[test]
    fn a_repeated_instruction_counts_once_and_stores_each_round() {
        // rep stosq, which the host stops at three times, the last with nothing left.
        let repeated = count(&[&[0xf3, 0x48, 0xab]], 3);
        assert_eq!((repeated.instructions, repeated.stores), (1, 2));
        // The same twice is two, and so is any other that is met again.
        let twice = count(&[&[0xf3, 0x48, 0xab], &[0xf3, 0x48, 0xab]], 2);
        assert_eq!(twice.instructions, 2);
        assert_eq!(count(&[&[0x48, 0x8b, 0x07]], 3).instructions, 3);
    }

    #[test]
    fn what_is_no_instruction_is_refused() {
        let mut meter = Meter::new(0..0);
        let error = meter.decoded(AT, || Ok([0x06; 16])).unwrap_err();
        assert!(matches!(error, StepError::Unknown(AT)), "{error}");
        let gone = meter.decoded(AT, || Err(io::Error::other("gone")));
        assert!(matches!(gone, Err(StepError::Code(_))));
    }
}
